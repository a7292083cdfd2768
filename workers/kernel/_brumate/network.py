"""What is said to code that asks for the network."""

NO_NETWORK = (
    "sessions have no network. The program that runs this session can offer what you need as a callback, or write files"
    " for it"
)
