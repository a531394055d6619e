"""Sources in, corpora out: formats, shapes, and the cpt, sft and preference builders."""
