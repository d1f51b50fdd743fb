"""The Messages API as clients speak it: `/v1/messages` and `/v1/messages/count_tokens`."""
