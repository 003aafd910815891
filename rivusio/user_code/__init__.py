"""A user's file: imported as Python would run it, and asked for its pipelines.

user_file    the file imported, its pipelines, and what its errors say
serving      the child processes of ours that do so
"""
