"""Makes the browser and the servers available to all tests."""

pytest_plugins = ["tests.browser.fixtures"]
