"""The public fault suite: recipes with known faults, the truth about them by independent runs, and the peers."""
