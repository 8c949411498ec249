"""Loads in Python for brokers without a load generator: 32 connections share one process."""
