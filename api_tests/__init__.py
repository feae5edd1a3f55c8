"""`make api-tests`: every operation of the platform's document, asked from outside, of any address.

Holds: a test knows the API by its document alone; each reply's status and body are checked against it. What a test
creates, it takes away again, also when it fails.
Never: imports the platform or the gateway.
"""
