"""What plug-ins must hold to, as checks that run on a small built-in setting and say in words what fails."""
