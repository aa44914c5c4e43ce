"""The public fault suite: recipes with known faults, the truth from independent runs, the peers."""
