"""What goes over the wire beside the question: addresses, proxies, headers, parameters, and what a server does to them.
A folder of its own since all of it is about one server's habits, and nothing about how requests are scheduled."""
