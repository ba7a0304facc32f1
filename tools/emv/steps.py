"""The phases of a transaction and where the books describe them."""

from __future__ import annotations

from tools.emv import apdu, conversation

# The driver's names → what is printed, and the clause.
PHASES = {
    "application_selection": ("Application selection", "Book 1 12.3-12.4"),
    "initiate_application": ("Initiate application processing", "Book 3 10.1"),
    "read_application_data": ("Read application data", "Book 3 10.2"),
    "data_authentication": ("Offline data authentication", "Book 3 10.3, Book 2 5-6"),
    "processing_restrictions": ("Processing restrictions", "Book 3 10.4"),
    "cardholder_verification": ("Cardholder verification", "Book 3 10.5"),
    "terminal_risk_management": ("Terminal risk management", "Book 3 10.6"),
    "terminal_action_analysis": ("Terminal action analysis", "Book 3 10.7"),
    "card_action_analysis": ("Card action analysis, first GENERATE AC", "Book 3 10.8"),
    "online_processing": ("Online processing, issuer authentication", "Book 3 10.9"),
    "unable_to_go_online": ("Unable to go online", "Book 3 10.7, 10.11"),
    "completion": ("Completion, second GENERATE AC and scripts", "Book 3 10.10-10.11"),
    "contactless_directory": ("Combination selection, directory", "Book B 3.3.2"),
    "contactless_selection": ("Final combination selection", "Book B 3.3.3"),
    "contactless_options": ("Initiate application processing", "Books C-3, C-7; Book 3 10.1"),
    "contactless_records": ("Read application data", "Books C-3, C-7; Book 3 10.2"),
    "contactless_other": ("Kernel", "Books C-3, C-7"),
}


def of_tap(command: apdu.Command) -> str:
    """Which phase of a tap a request belongs to: the kernel runs through without announcing."""
    if command.ins == apdu.SELECT:
        directory = command.data == conversation.PPSE
        return "contactless_directory" if directory else "contactless_selection"
    if command.ins == apdu.GET_PROCESSING_OPTIONS:
        return "contactless_options"
    if command.ins == apdu.READ_RECORD:
        return "contactless_records"
    return "contactless_other"
