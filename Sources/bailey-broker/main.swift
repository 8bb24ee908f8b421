import Broker

Broker.main()
