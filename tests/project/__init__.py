"""What holds of the project as a whole: imports, documents, the wheel, the benchmark."""
