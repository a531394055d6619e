"""Signals and the rules over them: language, quality, repetition, PII, dedup, decontamination. One file, one step."""
