"""Everything that knows HTTP. Start at routes.py, which has every route's guard, CSRF rule and limits."""
