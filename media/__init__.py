"""Video consults that become Encounters; its engine runs in a process of its own."""
