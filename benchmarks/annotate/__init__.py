"""What a call costs in time, and what a kill can cost in money: the annotation runner beside its peers."""
