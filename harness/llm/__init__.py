"""What teachers that answer in text share: requests and answers, the driver that keeps many in flight, limits, retries,
prices."""
