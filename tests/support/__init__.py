"""What several tests share: clients, servers of a test's own, builders."""
