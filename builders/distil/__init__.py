"""Distilling: a few thousand documents labelled twice by a language model become a classifier that labels all."""
