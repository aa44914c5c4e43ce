"""What a peek shows that can hold a script back: one file per subject, each rule one function."""
