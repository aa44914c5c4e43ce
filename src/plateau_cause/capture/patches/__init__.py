"""Changes to a user's file as unified diffs, where a decision stands there in plain sight."""
