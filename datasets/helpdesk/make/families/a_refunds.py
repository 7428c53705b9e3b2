"""Refunds, credit notes, chargebacks."""

from kit import family

FAMILIES = [
    family(
        "refund-issue",
        "Refund {extent} paid by {method}",
        [
            "[A refund gives money back over the way it came in.|To give {extent} back, start from the payment.]",
            "Open the payment and press Refund.",
            "@extent",
            "@method",
            "[A refund cannot be stopped once it is confirmed.|The customer gets a receipt by email.|You need the right Refund in your role.]",
        ],
        extent="""
            full = the full amount / everything / the whole payment / all of it :: Choose Full; the invoice is marked as refunded, and a credit note over its whole sum is issued with it.
            partial = a partial amount / part of it / only some of the money / a portion :: Choose Partial and type the sum; the invoice stays paid, and several partial refunds may follow until the sum is used up.
            line = a single line item / one position / just one product on the invoice :: Choose By line and tick the item; tax and discount of that line are worked out for you, the rest stays as it is.
        """,
        method="""
            card = card / credit card / debit card / visa or mastercard :: Money goes back to the same card within 180 days of the payment; if the card has expired, the issuer passes it on.
            debit = direct debit / SEPA debit / bank debit mandate :: Money goes to the account of the mandate and can be sent no sooner than five days after collection, when it is final.
            transfer = bank transfer / wire transfer / wire from their bank :: Ledgerly asks for the IBAN unless it was seen on the statement, and puts the sum into the next payment file.
            wallet = PayWave wallet / the wallet app / paywave / e-wallet :: Money goes to the balance of the wallet in seconds; if that account was closed, the refund fails and a transfer is offered.
        """,
        asks="""
            refund {extent}, paid by {method}
            how do i refund {extent} of a {method} payment
            give back {extent} to someone who used {method}
            {method} refund of {extent}
            customer paid with {method} and wants {extent} back
            need to return {extent}, payment was {method}
            pay back {extent} - {method}
            can i refund {extent} for {method}
            reimburse {extent} on {method}
            reverse {extent} of a payment made by {method}
            money back: {extent}, {method}
            where to send {extent} back when it came by {method}
        """,
    ),
    family(
        "refund-duration",
        "How long a refund to {method} takes {region}",
        [
            "[When the money of a refund arrives depends on the way and the place.|Customers often ask when their money will be there.]",
            "@cell",
            "@method",
            "@region",
            "[The page of the refund shows a trace number that banks can look up.|Weekends do not count as working days.]",
        ],
        cells="""
            card, home :: A card refund inside your own country takes 2 to 4 working days.
            card, eu :: A card refund to another EU country takes 3 to 6 working days.
            card, overseas :: A card refund overseas takes 7 to 12 working days.
            debit, home :: A direct debit refund inside your own country takes 1 to 2 working days.
            debit, eu :: A direct debit refund to another EU country takes 2 to 3 working days.
            debit, overseas :: A direct debit refund overseas is not offered, since mandates exist in Europe only.
            transfer, home :: A bank transfer inside your own country takes 1 working day after the payment file was sent.
            transfer, eu :: A bank transfer to another EU country takes 1 to 2 working days after the payment file was sent.
            transfer, overseas :: A bank transfer overseas takes 3 to 8 working days and passes other banks on its way.
            wallet, home :: A PayWave refund inside your own country is there within a minute.
            wallet, eu :: A PayWave refund to another EU country is there within an hour.
            wallet, overseas :: A PayWave refund overseas takes up to 3 days, for the checks against money laundering.
        """,
        method="""
            card = a card / credit card / their visa :: The issuer of the card decides when it shows the credit, and it may stand on the statement of the next month.
            debit = a direct debit account / SEPA debit / the debited account :: Before the five days after collection have passed, the refund waits with the status Scheduled.
            transfer = a bank account by transfer / a wire transfer / the IBAN by bank transfer :: The payment file leaves at 14:00 on working days, so a refund made later waits until the next one.
            wallet = PayWave wallet / the e-wallet / paywave :: The customer gets a push message from the wallet as soon as the money has arrived there.
        """,
        region="""
            home = in the same country / domestically / inside our country :: No money is exchanged, so the customer receives the very sum that was refunded.
            eu = to another EU country / across the EU / elsewhere in europe :: Where currencies differ, the rate of the refund day counts, which can be off by some cents.
            overseas = overseas / outside europe / to another continent / to the US or Asia :: Foreign banks may keep a fee, which you can take over by ticking All charges paid by us.
        """,
        asks="""
            how long does a refund to {method} take {region}
            refund {method} {region} how many days
            when will the money be back on {method} {region}
            {region}, refund to {method}, duration
            customer waits for refund on {method} {region}
            time until a refund reaches {method} {region}
            {method} refund not arrived yet {region}
            how fast is a refund {region} to {method}
            days for refund: {method}, {region}
            refunded {method} {region}, still nothing there
            what can i tell a client about refund time to {method} {region}
            is the refund to {method} slow {region}
        """,
    ),
    family(
        "refund-error",
        "Refund refused with {code}",
        [
            "[A refund that shows {code} did not leave your account.|When a refund stops with {code}, no money has moved.|The code {code} beside a refund says why it was refused.]",
            "@code",
            "[Then press Try again on the page of the refund.|After that, start the refund anew from the payment.]",
            "[The credit note stays a draft until the refund went through.|The customer is not told about a refused refund.|Refused refunds carry no fee.]",
        ],
        code="""
            rf-201 = RF-201 / RF-201 balance too low / not enough balance RF-201 :: Your balance with Ledgerly Payments does not cover the sum. Wait for incoming payments or top it up by bank transfer, which takes one working day.
            rf-202 = RF-202 / RF-202 already refunded / twice RF-202 :: The payment was refunded in full before. Look at its history, as a colleague or the API may have been faster.
            rf-203 = RF-203 / RF-203 too old / payment too old RF-203 :: More than 180 days have passed since the card payment. Offer a bank transfer, for which no such limit exists.
            rf-204 = RF-204 / RF-204 amount higher / more than paid RF-204 :: The sum is higher than what is left of the payment. Take earlier partial refunds off and type the sum again.
            rf-207 = RF-207 / RF-207 dispute open / chargeback running RF-207 :: A chargeback is open for the payment, so a refund could pay the customer twice. Accept the dispute or wait for its end.
            rf-210 = RF-210 / RF-210 card closed / card account gone RF-210 :: The card account was closed and the issuer sent the money back. Ask the customer for an IBAN and use a transfer.
            rf-212 = RF-212 / RF-212 not settled / still pending RF-212 :: The payment is still pending and not yet final. Void it instead, or wait until it is settled, at most five days.
            rf-215 = RF-215 / RF-215 second person / needs approval RF-215 :: The sum is above the limit where a second person must agree. Ask an approver to confirm it under Approvals.
            rf-218 = RF-218 / RF-218 currency / other currency RF-218 :: The refund is in another currency than the payment. Switch the currency field back, since refunds cannot be exchanged.
            rf-220 = RF-220 / RF-220 mandate / mandate revoked RF-220 :: The direct debit mandate was revoked, so its account can no longer be used. Send the money by transfer to an IBAN.
            rf-231 = RF-231 / RF-231 account frozen / payouts paused RF-231 :: Money leaving your account is paused while your company papers are being checked. Upload what is asked for under Verification.
            rf-240 = RF-240 / RF-240 invoice void / voided document RF-240 :: The invoice behind the payment has been voided. Match the payment to another document or pay it out as balance.
        """,
        asks="""
            {code}
            refund fails {code}
            refund refused with {code}
            what is {code}
            {code} when i want to refund
            how to solve {code}
            cannot give money back, {code}
            getting error {code} on a refund
            {code} refund blocked
            the refund page shows {code}, meaning
            why {code} for this payment
            customer waits for refund and i see {code}
        """,
    ),
    family(
        "credit-note-create",
        "Credit note for {scope} of {invoice}",
        [
            "[A credit note corrects an invoice that must not be changed any more.|Use a credit note where the invoice itself is locked.]",
            "Open the invoice and press More > Credit.",
            "@scope",
            "@invoice",
            "[The credit note gets a number of its own, starting with CN.|Send it to the customer as you send invoices.|Tax is taken back at the rate of the invoice.]",
        ],
        scope="""
            whole = the whole sum / the complete amount / everything on it :: Choose Whole invoice; all lines are copied with a minus sign, and nothing needs to be typed.
            line = one line / a single position / one item only :: Choose Lines and leave a tick at the wrong one; the quantity to be credited can be lowered too.
            discount = a later discount / a price reduction afterwards / a goodwill allowance :: Choose Amount and give a reason such as goodwill; a single line Discount is written, spread over the tax rates.
            shipping = the shipping cost / delivery charges / postage on it :: Choose Shipping; only the line for freight is credited, and the goods remain billed.
        """,
        invoice="""
            unpaid = an unpaid invoice / an open invoice / an invoice nobody paid yet :: As nothing was paid, the sum is simply taken off what is owed, and reminders follow the new rest.
            paid = a paid invoice / an invoice already settled / an invoice after payment :: As it was paid, Ledgerly asks whether to refund the money or to keep it as a balance of the customer.
            part-paid = a partly paid invoice / an invoice with a part payment / a half paid bill :: The credit first lowers the part that is open; only what goes beyond it becomes a refund or a balance.
            overdue = an overdue invoice / an invoice in dunning / a bill past due with reminders :: Late fees charged so far are credited along if you tick Include fees, and the reminder run stops until the next day.
        """,
        asks="""
            credit note for {scope} of {invoice}
            how do i credit {scope} on {invoice}
            {invoice}: credit {scope}
            issue a credit memo over {scope}, {invoice}
            want to credit {scope} of {invoice}
            create credit note {scope} {invoice}
            customer gets {scope} credited, it is {invoice}
            can i write a credit note for just {scope} on {invoice}
            correct {invoice} by crediting {scope}
            take {scope} off {invoice} with a credit note
            need credit for {scope}, {invoice}
            {scope} should be credited - {invoice}
        """,
    ),
    family(
        "credit-note-use",
        "{use} ({who})",
        [
            "[An issued credit note is worth money until it is used.|What becomes of a credit note after it was issued is up to you.]",
            "@use",
            "@who",
            "[The credit note shows how much of it is left.|A use can be taken back within the same month.|Unused credit is listed in the report Open credits.]",
        ],
        use="""
            offset = Set a credit note off against the next invoice / use credit on the next bill / apply a credit memo to a new invoice :: The credit is taken off the next invoice, which then asks for the lower sum and prints a line with the number of the credit note.
            payout = Pay a credit note out in money / get the credit as cash / transfer the credit to a bank account :: The credit is paid to the account on file and closed; sums below five euro cannot be paid out.
            balance = Keep a credit note as balance / leave the credit on the account for later / hold credit as prepaid balance :: The credit goes to the balance of the customer, where it stays for three years and can be spent in parts.
            transfer = Move a credit note to another customer / give the credit to a different client / pass credit to a sister company :: The credit is moved to a customer of the same group; both need the same currency and tax country.
        """,
        who="""
            auto = done automatically / by itself / without anyone clicking / by a rule :: Set the rule under Billing > Settings > Credits; it runs each night, oldest credit first.
            staff = done by staff / by hand in the office / manually by one of us :: A user with the role Billing opens the credit note, presses Use and confirms the sum.
            customer = done by the customer in the portal / by the client themselves / self service by the buyer :: Customers find the credit in the portal under Account > Credits, provided that you switched on Let customers decide.
        """,
        asks="""
            {use}, {who}
            how to {use} {who}
            can i {use} - {who}
            {who}: {use}
            want to {use}, should be {who}
            is it possible to {use} {who}
            we need to {use}; that is {who}
            {use} ({who})
            where do you {use} if it is {who}
            i would like to {use} and have that {who}
            make ledgerly {use} {who}
            option to {use} {who}
        """,
    ),
    family(
        "chargeback",
        "Chargeback on {method}: {stage}",
        [
            "[A chargeback means that a payer took the money back through the bank.|When a payer disputes a payment, the case shows up under Payments > Disputes.]",
            "@stage",
            "@method",
            "[Each step is sent by email to the billing contacts.|Disputes can be filtered by deadline.]",
        ],
        stage="""
            inquiry = a question before the dispute / an inquiry / early warning, no money taken yet :: At the stage Inquiry no money has been taken; answer with the invoice and proof of delivery and it mostly ends there.
            opened = a new dispute / money was just taken back / dispute opened today :: At the stage Opened the sum has been taken from your balance; choose Accept or Contest, and do not refund on top.
            evidence = sending evidence / uploading proof / which documents to hand in :: At the stage Evidence you upload up to eight files; contract, delivery receipt and emails count most, and it can be sent only once.
            lost = a lost dispute / we lost the case / decided for the customer :: At the stage Lost the sum stays with the payer; the invoice opens again, and you may remind the customer or write it off.
            won = a won dispute / decided in our favour / we won the case :: At the stage Won the sum returns to your balance in the next payout, and the invoice counts as paid once more.
        """,
        method="""
            card / credit card / debit card payment :: Card networks give 20 days for each step and charge 15 euro a case, win or lose.
            debit = direct debit / SEPA debit / bank debit :: Payers can send a debit back within 8 weeks without a reason, so contesting seldom helps; the bank charges 4 euro.
            wallet = PayWave wallet / e-wallet / paywave :: The wallet decides in its own centre within 10 days and charges nothing when the seller is found right.
        """,
        asks="""
            chargeback {method} {stage}
            {stage}, paid by {method}, what now
            {method} dispute: {stage}
            what do i do about {stage} on a {method} payment
            {method} chargeback, question is {stage}
            customer disputed a {method} payment - {stage}
            {stage} ({method})
            how does ledgerly handle {stage} with {method}
            need help with {method} dispute, {stage}
            {stage} for a payment via {method}
            dispute on {method} - {stage}
            what happens with {method} after {stage}
        """,
    ),
]
