"""What the merchant and the payer see: pure drawing, wording in zh and en, questions, receipts."""
