"""The terminal as property: onboarding, its keys at rest, its parameters."""
