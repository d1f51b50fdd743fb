"""The upstream HTTP/1.1 client: pooled connections on asyncio transports."""
