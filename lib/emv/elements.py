"""The data elements: tag, name, format, length, source, template (Book 3 Annex A).

Lengths are bytes. Formats: a an ans b cn n (Book 3 4.3), var for templates. Source: card, terminal
or issuer. The names below are the tags; `ELEMENTS` is the dictionary, `find` looks into it.
"""

ISSUER_IDENTIFICATION_NUMBER = 0x42
APPLICATION_IDENTIFIER_CARD = 0x4F
APPLICATION_LABEL = 0x50
TRACK_1_DATA = 0x56
TRACK_2_EQUIVALENT_DATA = 0x57
APPLICATION_PAN = 0x5A
APPLICATION_TEMPLATE = 0x61
FCI_TEMPLATE = 0x6F
RECORD_TEMPLATE = 0x70
SCRIPT_TEMPLATE_1 = 0x71
SCRIPT_TEMPLATE_2 = 0x72
DIRECTORY_DISCRETIONARY_TEMPLATE = 0x73
RESPONSE_TEMPLATE_2 = 0x77
RESPONSE_TEMPLATE_1 = 0x80
AMOUNT_AUTHORISED_BINARY = 0x81
APPLICATION_INTERCHANGE_PROFILE = 0x82
COMMAND_TEMPLATE = 0x83
DEDICATED_FILE_NAME = 0x84
ISSUER_SCRIPT_COMMAND = 0x86
APPLICATION_PRIORITY_INDICATOR = 0x87
SHORT_FILE_IDENTIFIER = 0x88
AUTHORISATION_CODE = 0x89
AUTHORISATION_RESPONSE_CODE = 0x8A
CDOL1 = 0x8C
CDOL2 = 0x8D
CVM_LIST = 0x8E
CA_PUBLIC_KEY_INDEX_CARD = 0x8F
ISSUER_PUBLIC_KEY_CERTIFICATE = 0x90
ISSUER_AUTHENTICATION_DATA = 0x91
ISSUER_PUBLIC_KEY_REMAINDER = 0x92
SIGNED_STATIC_APPLICATION_DATA = 0x93
APPLICATION_FILE_LOCATOR = 0x94
TERMINAL_VERIFICATION_RESULTS = 0x95
TDOL = 0x97
TC_HASH_VALUE = 0x98
TRANSACTION_PIN_DATA = 0x99
TRANSACTION_DATE = 0x9A
TRANSACTION_STATUS_INFORMATION = 0x9B
TRANSACTION_TYPE = 0x9C
DIRECTORY_DEFINITION_FILE_NAME = 0x9D
FCI_PROPRIETARY_TEMPLATE = 0xA5
CARDHOLDER_NAME = 0x5F20
APPLICATION_EXPIRATION_DATE = 0x5F24
APPLICATION_EFFECTIVE_DATE = 0x5F25
ISSUER_COUNTRY_CODE = 0x5F28
TRANSACTION_CURRENCY_CODE = 0x5F2A
LANGUAGE_PREFERENCE = 0x5F2D
SERVICE_CODE = 0x5F30
PAN_SEQUENCE_NUMBER = 0x5F34
TRANSACTION_CURRENCY_EXPONENT = 0x5F36
ISSUER_URL = 0x5F50
ACQUIRER_IDENTIFIER = 0x9F01
AMOUNT_AUTHORISED = 0x9F02
AMOUNT_OTHER = 0x9F03
AMOUNT_OTHER_BINARY = 0x9F04
APPLICATION_DISCRETIONARY_DATA = 0x9F05
APPLICATION_IDENTIFIER_TERMINAL = 0x9F06
APPLICATION_USAGE_CONTROL = 0x9F07
APPLICATION_VERSION_CARD = 0x9F08
APPLICATION_VERSION_TERMINAL = 0x9F09
APPLICATION_SELECTION_REGISTERED_DATA = 0x9F0A
CARDHOLDER_NAME_EXTENDED = 0x9F0B
ISSUER_ACTION_CODE_DEFAULT = 0x9F0D
ISSUER_ACTION_CODE_DENIAL = 0x9F0E
ISSUER_ACTION_CODE_ONLINE = 0x9F0F
ISSUER_APPLICATION_DATA = 0x9F10
ISSUER_CODE_TABLE_INDEX = 0x9F11
APPLICATION_PREFERRED_NAME = 0x9F12
LAST_ONLINE_ATC = 0x9F13
LOWER_CONSECUTIVE_OFFLINE_LIMIT = 0x9F14
MERCHANT_CATEGORY_CODE = 0x9F15
MERCHANT_IDENTIFIER = 0x9F16
PIN_TRY_COUNTER = 0x9F17
ISSUER_SCRIPT_IDENTIFIER = 0x9F18
TERMINAL_COUNTRY_CODE = 0x9F1A
TERMINAL_FLOOR_LIMIT = 0x9F1B
TERMINAL_IDENTIFICATION = 0x9F1C
TERMINAL_RISK_MANAGEMENT_DATA = 0x9F1D
IFD_SERIAL_NUMBER = 0x9F1E
TRACK_1_DISCRETIONARY_DATA = 0x9F1F
TRACK_2_DISCRETIONARY_DATA = 0x9F20
TRANSACTION_TIME = 0x9F21
CA_PUBLIC_KEY_INDEX_TERMINAL = 0x9F22
UPPER_CONSECUTIVE_OFFLINE_LIMIT = 0x9F23
APPLICATION_CRYPTOGRAM = 0x9F26
CRYPTOGRAM_INFORMATION_DATA = 0x9F27
EXTENDED_SELECTION = 0x9F29
KERNEL_IDENTIFIER = 0x9F2A
ICC_PIN_KEY_CERTIFICATE = 0x9F2D
ICC_PIN_KEY_EXPONENT = 0x9F2E
ICC_PIN_KEY_REMAINDER = 0x9F2F
ISSUER_PUBLIC_KEY_EXPONENT = 0x9F32
TERMINAL_CAPABILITIES = 0x9F33
CVM_RESULTS = 0x9F34
TERMINAL_TYPE = 0x9F35
APPLICATION_TRANSACTION_COUNTER = 0x9F36
UNPREDICTABLE_NUMBER = 0x9F37
PDOL = 0x9F38
POS_ENTRY_MODE = 0x9F39
AMOUNT_REFERENCE_CURRENCY = 0x9F3A
APPLICATION_REFERENCE_CURRENCY = 0x9F3B
TRANSACTION_REFERENCE_CURRENCY = 0x9F3C
TRANSACTION_REFERENCE_EXPONENT = 0x9F3D
ADDITIONAL_TERMINAL_CAPABILITIES = 0x9F40
TRANSACTION_SEQUENCE_COUNTER = 0x9F41
APPLICATION_CURRENCY_CODE = 0x9F42
APPLICATION_REFERENCE_EXPONENT = 0x9F43
APPLICATION_CURRENCY_EXPONENT = 0x9F44
DATA_AUTHENTICATION_CODE = 0x9F45
ICC_PUBLIC_KEY_CERTIFICATE = 0x9F46
ICC_PUBLIC_KEY_EXPONENT = 0x9F47
ICC_PUBLIC_KEY_REMAINDER = 0x9F48
DDOL = 0x9F49
SDA_TAG_LIST = 0x9F4A
SIGNED_DYNAMIC_APPLICATION_DATA = 0x9F4B
ICC_DYNAMIC_NUMBER = 0x9F4C
LOG_ENTRY = 0x9F4D
MERCHANT_NAME = 0x9F4E
LOG_FORMAT = 0x9F4F
KERNEL_PROGRAM_ID = 0x9F5A
AVAILABLE_OFFLINE_SPENDING = 0x9F5D
PRODUCT_IDENTIFICATION = 0x9F63
TERMINAL_TRANSACTION_QUALIFIERS = 0x9F66
CARD_AUTHENTICATION_RELATED_DATA = 0x9F69
CARD_TRANSACTION_QUALIFIERS = 0x9F6C
FORM_FACTOR_INDICATOR = 0x9F6E
AUTHORISATION_CODE_OFFLINE = 0x9F74
ELECTRONIC_CASH_INDICATOR = 0x9F7A
CUSTOMER_EXCLUSIVE_DATA = 0x9F7C
FCI_ISSUER_DISCRETIONARY_DATA = 0xBF0C
ISSUER_SCRIPT_RESULTS = 0xDF31
SM_ALGORITHM_SUPPORT = 0xDF69

# Decisions (Book 3 10.7): what the terminal asks for, what the card answers.
APPROVED = "approved"
ONLINE = "online"
DECLINED = "declined"

# How the payer was verified, or is to be (10.5). DEVICE: on the payer's own phone or watch.
CVM_NONE = "none"
CVM_ONLINE_PIN = "online_pin"
CVM_OFFLINE_PIN = "offline_pin"
CVM_OFFLINE_PIN_SIGNATURE = "offline_pin_signature"
CVM_SIGNATURE = "signature"
CVM_DEVICE = "device"
CVM_FAILED = "failed"

# What a PIN callback answers.
PIN_ENTERED = "entered"
PIN_BYPASSED = "bypassed"
PIN_PAD_FAULT = "fault"

KERNEL_3 = 3
KERNEL_7 = 7

# TVR (Annex C5): byte number, then the bit's mask.
TVR_ODA_NOT_PERFORMED = 0x180
TVR_SDA_FAILED = 0x140
TVR_ICC_DATA_MISSING = 0x120
TVR_ON_EXCEPTION_FILE = 0x110
TVR_DDA_FAILED = 0x108
TVR_CDA_FAILED = 0x104
TVR_SDA_SELECTED = 0x102
TVR_VERSIONS_DIFFER = 0x280
TVR_EXPIRED = 0x240
TVR_NOT_YET_EFFECTIVE = 0x220
TVR_SERVICE_NOT_ALLOWED = 0x210
TVR_NEW_CARD = 0x208
TVR_CVM_FAILED = 0x380
TVR_CVM_UNRECOGNISED = 0x340
TVR_PIN_TRIES_EXCEEDED = 0x320
TVR_PIN_PAD_FAULT = 0x310
TVR_PIN_NOT_ENTERED = 0x308
TVR_ONLINE_PIN_ENTERED = 0x304
TVR_FLOOR_LIMIT_EXCEEDED = 0x480
TVR_LOWER_LIMIT_EXCEEDED = 0x440
TVR_UPPER_LIMIT_EXCEEDED = 0x420
TVR_RANDOMLY_SELECTED = 0x410
TVR_MERCHANT_FORCED_ONLINE = 0x408
TVR_DEFAULT_TDOL = 0x580
TVR_ISSUER_AUTHENTICATION_FAILED = 0x540
TVR_SCRIPT_FAILED_BEFORE = 0x520
TVR_SCRIPT_FAILED_AFTER = 0x510

# TSI (Annex C6), byte 1.
TSI_ODA = 0x180
TSI_CVM = 0x140
TSI_CARD_RISK = 0x120
TSI_ISSUER_AUTHENTICATION = 0x110
TSI_TERMINAL_RISK = 0x108
TSI_SCRIPTS = 0x104

# AIP (Annex C1), byte 1.
AIP_SDA = 0x40
AIP_DDA = 0x20
AIP_CVM = 0x10
AIP_TERMINAL_RISK = 0x08
AIP_ISSUER_AUTHENTICATION = 0x04
AIP_CDA = 0x01

# tag, name, format, shortest, longest, source, templates
ELEMENTS = (
    (0x42, "Issuer Identification Number", "n", 3, 3, "card", "BF0C"),
    (0x4F, "Application Dedicated File (ADF) Name", "b", 5, 16, "card", "61"),
    (0x50, "Application Label", "ans", 1, 16, "card", "61 A5"),
    (0x56, "Track 1 Data", "ans", 0, 76, "card", "70 77"),
    (0x57, "Track 2 Equivalent Data", "b", 0, 19, "card", "70 77"),
    (0x5A, "Application Primary Account Number (PAN)", "cn", 1, 10, "card", "70 77"),
    (0x61, "Application Template", "b", 0, 252, "card", "70"),
    (0x6F, "File Control Information (FCI) Template", "var", 0, 252, "card", ""),
    (0x70, "READ RECORD Response Message Template", "var", 0, 252, "card", ""),
    (0x71, "Issuer Script Template 1", "b", 0, 255, "issuer", ""),
    (0x72, "Issuer Script Template 2", "b", 0, 255, "issuer", ""),
    (0x73, "Directory Discretionary Template", "var", 0, 252, "card", "61"),
    (0x77, "Response Message Template Format 2", "var", 0, 252, "card", ""),
    (0x80, "Response Message Template Format 1", "var", 0, 252, "card", ""),
    (0x81, "Amount, Authorised (Binary)", "b", 4, 4, "terminal", ""),
    (0x82, "Application Interchange Profile", "b", 2, 2, "card", "77 80"),
    (0x83, "Command Template", "b", 0, 252, "terminal", ""),
    (0x84, "Dedicated File (DF) Name", "b", 5, 16, "card", "6F"),
    (0x86, "Issuer Script Command", "b", 0, 261, "issuer", "71 72"),
    (0x87, "Application Priority Indicator", "b", 1, 1, "card", "61 A5"),
    (0x88, "Short File Identifier (SFI)", "b", 1, 1, "card", "A5"),
    (0x89, "Authorisation Code", "an", 6, 6, "issuer", ""),
    (0x8A, "Authorisation Response Code", "an", 2, 2, "issuer", ""),
    (0x8C, "Card Risk Management Data Object List 1", "b", 0, 252, "card", "70 77"),
    (0x8D, "Card Risk Management Data Object List 2", "b", 0, 252, "card", "70 77"),
    (0x8E, "Cardholder Verification Method (CVM) List", "b", 10, 252, "card", "70 77"),
    (0x8F, "Certification Authority Public Key Index", "b", 1, 1, "card", "70 77"),
    (0x90, "Issuer Public Key Certificate", "b", 64, 248, "card", "70 77"),
    (0x91, "Issuer Authentication Data", "b", 8, 16, "issuer", ""),
    (0x92, "Issuer Public Key Remainder", "b", 0, 248, "card", "70 77"),
    (0x93, "Signed Static Application Data", "b", 64, 248, "card", "70 77"),
    (0x94, "Application File Locator (AFL)", "var", 0, 252, "card", "77 80"),
    (0x95, "Terminal Verification Results", "b", 5, 5, "terminal", ""),
    (0x97, "Transaction Certificate Data Object List (TDOL)", "b", 0, 252, "card", "70 77"),
    (0x98, "Transaction Certificate (TC) Hash Value", "b", 20, 20, "terminal", ""),
    (0x99, "Transaction Personal Identification Number (PIN) Data", "b", 0, 8, "terminal", ""),
    (0x9A, "Transaction Date", "n", 3, 3, "terminal", ""),
    (0x9B, "Transaction Status Information", "b", 2, 2, "terminal", ""),
    (0x9C, "Transaction Type", "n", 1, 1, "terminal", ""),
    (0x9D, "Directory Definition File (DDF) Name", "b", 5, 16, "card", "61"),
    (0xA5, "FCI Proprietary Template", "var", 0, 252, "card", "6F"),
    (0x5F20, "Cardholder Name", "ans", 2, 26, "card", "70 77"),
    (0x5F24, "Application Expiration Date", "n", 3, 3, "card", "70 77"),
    (0x5F25, "Application Effective Date", "n", 3, 3, "card", "70 77"),
    (0x5F28, "Issuer Country Code", "n", 2, 2, "card", "70 77"),
    (0x5F2A, "Transaction Currency Code", "n", 2, 2, "terminal", ""),
    (0x5F2D, "Language Preference", "an", 2, 8, "card", "A5"),
    (0x5F30, "Service Code", "n", 2, 2, "card", "70 77"),
    (0x5F34, "Application PAN Sequence Number", "n", 1, 1, "card", "70 77"),
    (0x5F36, "Transaction Currency Exponent", "n", 1, 1, "terminal", ""),
    (0x5F50, "Issuer URL", "ans", 0, 252, "card", "BF0C 73"),
    (0x9F01, "Acquirer Identifier", "n", 6, 6, "terminal", ""),
    (0x9F02, "Amount, Authorised (Numeric)", "n", 6, 6, "terminal", ""),
    (0x9F03, "Amount, Other (Numeric)", "n", 6, 6, "terminal", ""),
    (0x9F04, "Amount, Other (Binary)", "b", 4, 4, "terminal", ""),
    (0x9F05, "Application Discretionary Data", "b", 1, 32, "card", "70 77"),
    (0x9F06, "Application Identifier (AID), terminal", "b", 5, 16, "terminal", ""),
    (0x9F07, "Application Usage Control", "b", 2, 2, "card", "70 77"),
    (0x9F08, "Application Version Number, card", "b", 2, 2, "card", "70 77"),
    (0x9F09, "Application Version Number, terminal", "b", 2, 2, "terminal", ""),
    (0x9F0A, "Application Selection Registered Proprietary Data", "b", 0, 252, "card", "73 BF0C"),
    (0x9F0B, "Cardholder Name Extended", "ans", 27, 45, "card", "70 77"),
    (0x9F0D, "Issuer Action Code - Default", "b", 5, 5, "card", "70 77"),
    (0x9F0E, "Issuer Action Code - Denial", "b", 5, 5, "card", "70 77"),
    (0x9F0F, "Issuer Action Code - Online", "b", 5, 5, "card", "70 77"),
    (0x9F10, "Issuer Application Data", "b", 0, 32, "card", "77 80"),
    (0x9F11, "Issuer Code Table Index", "n", 1, 1, "card", "A5"),
    (0x9F12, "Application Preferred Name", "ans", 1, 16, "card", "61 A5"),
    (0x9F13, "Last Online Application Transaction Counter (ATC) Register", "b", 2, 2, "card", ""),
    (0x9F14, "Lower Consecutive Offline Limit", "b", 1, 1, "card", "70 77"),
    (0x9F15, "Merchant Category Code", "n", 2, 2, "terminal", ""),
    (0x9F16, "Merchant Identifier", "ans", 15, 15, "terminal", ""),
    (0x9F17, "Personal Identification Number (PIN) Try Counter", "b", 1, 1, "card", ""),
    (0x9F18, "Issuer Script Identifier", "b", 4, 4, "issuer", "71 72"),
    (0x9F1A, "Terminal Country Code", "n", 2, 2, "terminal", ""),
    (0x9F1B, "Terminal Floor Limit", "b", 4, 4, "terminal", ""),
    (0x9F1C, "Terminal Identification", "an", 8, 8, "terminal", ""),
    (0x9F1D, "Terminal Risk Management Data", "b", 1, 8, "terminal", ""),
    (0x9F1E, "Interface Device (IFD) Serial Number", "an", 8, 8, "terminal", ""),
    (0x9F1F, "Track 1 Discretionary Data", "ans", 0, 64, "card", "70 77"),
    (0x9F20, "Track 2 Discretionary Data", "cn", 0, 19, "card", "70 77"),
    (0x9F21, "Transaction Time", "n", 3, 3, "terminal", ""),
    (0x9F22, "Certification Authority Public Key Index, terminal", "b", 1, 1, "terminal", ""),
    (0x9F23, "Upper Consecutive Offline Limit", "b", 1, 1, "card", "70 77"),
    (0x9F26, "Application Cryptogram", "b", 8, 8, "card", "77 80"),
    (0x9F27, "Cryptogram Information Data", "b", 1, 1, "card", "77 80"),
    (0x9F29, "Extended Selection", "b", 0, 16, "card", "61"),
    (0x9F2A, "Kernel Identifier", "b", 1, 8, "card", "61"),
    (0x9F2D, "ICC PIN Encipherment Public Key Certificate", "b", 64, 248, "card", "70 77"),
    (0x9F2E, "ICC PIN Encipherment Public Key Exponent", "b", 1, 3, "card", "70 77"),
    (0x9F2F, "ICC PIN Encipherment Public Key Remainder", "b", 0, 248, "card", "70 77"),
    (0x9F32, "Issuer Public Key Exponent", "b", 1, 3, "card", "70 77"),
    (0x9F33, "Terminal Capabilities", "b", 3, 3, "terminal", ""),
    (0x9F34, "Cardholder Verification Method (CVM) Results", "b", 3, 3, "terminal", ""),
    (0x9F35, "Terminal Type", "n", 1, 1, "terminal", ""),
    (0x9F36, "Application Transaction Counter (ATC)", "b", 2, 2, "card", "77 80"),
    (0x9F37, "Unpredictable Number", "b", 4, 4, "terminal", ""),
    (0x9F38, "Processing Options Data Object List (PDOL)", "b", 0, 252, "card", "A5"),
    (0x9F39, "Point-of-Service (POS) Entry Mode", "n", 1, 1, "terminal", ""),
    (0x9F3A, "Amount, Reference Currency", "b", 4, 4, "terminal", ""),
    (0x9F3B, "Application Reference Currency", "n", 2, 8, "card", "70 77"),
    (0x9F3C, "Transaction Reference Currency Code", "n", 2, 2, "terminal", ""),
    (0x9F3D, "Transaction Reference Currency Exponent", "n", 1, 1, "terminal", ""),
    (0x9F40, "Additional Terminal Capabilities", "b", 5, 5, "terminal", ""),
    (0x9F41, "Transaction Sequence Counter", "n", 2, 4, "terminal", ""),
    (0x9F42, "Application Currency Code", "n", 2, 2, "card", "70 77"),
    (0x9F43, "Application Reference Currency Exponent", "n", 1, 4, "card", "70 77"),
    (0x9F44, "Application Currency Exponent", "n", 1, 1, "card", "70 77"),
    (0x9F45, "Data Authentication Code", "b", 2, 2, "card", ""),
    (0x9F46, "ICC Public Key Certificate", "b", 64, 248, "card", "70 77"),
    (0x9F47, "ICC Public Key Exponent", "b", 1, 3, "card", "70 77"),
    (0x9F48, "ICC Public Key Remainder", "b", 0, 248, "card", "70 77"),
    (0x9F49, "Dynamic Data Authentication Data Object List (DDOL)", "b", 0, 252, "card", "70 77"),
    (0x9F4A, "Static Data Authentication Tag List", "b", 0, 252, "card", "70 77"),
    (0x9F4B, "Signed Dynamic Application Data", "b", 64, 248, "card", "77 80"),
    (0x9F4C, "ICC Dynamic Number", "b", 2, 8, "card", ""),
    (0x9F4D, "Log Entry", "b", 2, 2, "card", "BF0C 73"),
    (0x9F4E, "Merchant Name and Location", "ans", 0, 252, "terminal", ""),
    (0x9F4F, "Log Format", "b", 0, 252, "card", ""),
    (0x9F5A, "Application Program Identifier", "b", 1, 16, "card", "A5"),
    (0x9F5D, "Available Offline Spending Amount", "n", 1, 6, "card", "77"),
    (0x9F63, "Card Product Identification (UnionPay)", "b", 16, 16, "card", "70 77"),
    (0x9F66, "Terminal Transaction Qualifiers (TTQ)", "b", 4, 4, "terminal", ""),
    (0x9F69, "Card Authentication Related Data", "b", 5, 16, "card", "70 77"),
    (0x9F6C, "Card Transaction Qualifiers (CTQ)", "b", 2, 2, "card", "77"),
    (0x9F6E, "Form Factor Indicator", "b", 4, 32, "card", "70 77"),
    (0x9F74, "Electronic Cash Issuer Authorisation Code (UnionPay)", "an", 6, 6, "card", "70 77"),
    (0x9F7A, "Electronic Cash Terminal Support Indicator (UnionPay)", "n", 1, 1, "terminal", ""),
    (0x9F7C, "Customer Exclusive Data", "b", 0, 32, "card", "70 77"),
    (0xBF0C, "FCI Issuer Discretionary Data", "var", 0, 222, "card", "A5"),
    (0xDF31, "Issuer Script Results", "b", 5, 21, "terminal", ""),
    (0xDF69, "SM Algorithm Support Indicator (UnionPay)", "b", 1, 1, "terminal", ""),
)

_ROWS = {row[0]: row for row in ELEMENTS}


def find(tag: int) -> "tuple[int, str, str, int, int, str, str] | None":
    """The dictionary's row for `tag`, or None."""
    return _ROWS.get(tag)


def name(tag: int) -> str:
    """The element's name in the book, or 'unknown'."""
    row = find(tag)
    return row[1] if row else "unknown"
