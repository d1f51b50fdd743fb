"""The Responses dialect: what clients of `POST /v1/responses` speak."""
