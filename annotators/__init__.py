"""Questions put to models: providers, the call store, spend, panels."""
