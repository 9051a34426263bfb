"""What all servers tell: the number of an event, and as much beside it as makes a frame of some 260 bytes."""

TOPIC = "bench:ticks"
QUERY = "subscription { ticked { number title game amount currency target live note } }"
REST = {
    "title": "A new gaming chair for the weekend stream",
    "game": "Mobile Legends",
    "amount": 1_250_000,
    "currency": "IDR",
    "target": 5_000_000,
    "live": True,
    "note": "Thank you all",
}
