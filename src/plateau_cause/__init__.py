"""plateau: why does my transfer learning plateau at this value, and what do I change?"""
