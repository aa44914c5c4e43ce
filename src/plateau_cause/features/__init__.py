"""What the frozen backbone sees: features per view, probes, label noise, shift tests, profile, projection."""
