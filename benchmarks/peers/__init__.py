"""Other brokers doing the same job on the same machine, each as durable as ours."""
