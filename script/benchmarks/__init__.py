"""Measurements of Bailey beside its peers; script/bench is how they are started."""
