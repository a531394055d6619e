"""Training from a release: sft, dpo. Reads releases only."""
