"""From the runs to the answer: which factor carries the plateau, and what to run next to know."""
