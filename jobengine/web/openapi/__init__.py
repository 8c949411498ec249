"""What the server offers, told to programs (OpenAPI 3.1) and to people (Swagger UI)."""
