"""What people read of a release or a model: cards, Croissant, the report page."""
