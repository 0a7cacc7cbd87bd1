"""Figures that minitok promises, and how they are measured; see README.md."""
