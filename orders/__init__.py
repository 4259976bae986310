"""The firm's quotes: what a visitor is offered, what a scan of its code means, the card he gets, the pages he sees."""
