"""Archives that strangers send: zip and base64, read strictly."""
