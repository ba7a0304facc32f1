"""What runs on a workstation: simulator, acquirer, workshop and toolchain."""
