import LauncherCore

Launcher.main()
