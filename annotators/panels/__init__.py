"""Ways to make one decision of a panel's votes: `votes.py` is what they read, `strategies.py` their names."""
