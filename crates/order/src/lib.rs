//! Order state and the client side of the order session.
