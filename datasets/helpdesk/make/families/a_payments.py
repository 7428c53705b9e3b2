"""Payments: methods, fees, declines, payouts, links, matching."""

from kit import family

FAMILIES = [
    family(
        "payment-method-add",
        "Add {method} {place}",
        [
            "[A way to pay is stored once and used for all later invoices.|Before Ledgerly can collect money on its own, a way to pay must be stored.]",
            "@place",
            "@method",
            "[The new entry becomes the default if you tick Use first.|An old entry stays until it is removed.|A check of zero or one cent may show on the statement.]",
        ],
        method="""
            card = a credit card / a debit card / a new visa card :: For a card, enter number, expiry and code; the bank may ask for a confirmation in its app, and Ledgerly keeps only the last four digits.
            debit = SEPA direct debit / a bank account for direct debit / a debit mandate :: For SEPA, enter the IBAN and accept the mandate; the mandate reference is mailed, and the first collection takes five days.
            ach = ACH debit / a US bank account / american bank debit :: For ACH, sign in to your US bank in the window, or type routing and account number and confirm two small deposits.
            wallet = PayWave wallet / a paywave account / the e-wallet :: For PayWave, scan the code with the wallet app and allow recurring payments up to a monthly limit of your own.
        """,
        place="""
            portal = in the customer portal / as a customer in the portal / through self service :: In the portal, the customer opens Account > Ways to pay and presses Add; staff cannot see the details typed there.
            office = in the web app for a customer / as staff on behalf of a client / from our office account :: In the web app, open the customer, go to the tab Payment and press Request; a link is mailed, since staff may not type such data.
            mobile = in the mobile app / on my phone / from the ledgerly app :: In the app, tap Profile, then Ways to pay and the plus sign; the camera can read the details.
            own = for our own Ledgerly bill / for paying ledgerly itself / for the ledgerly subscription fee :: For what you owe to Ledgerly, an owner opens Settings > Plan and billing > Ways to pay and presses Add.
        """,
        asks="""
            add {method} {place}
            how do i add {method} {place}
            {place}: store {method}
            want to put in {method} {place}
            where can i enter {method} {place}
            save {method} {place}
            {method} {place} steps
            set up {method} {place}
            is it possible to use {method} {place}
            register {method} {place}
            switch to {method} {place}
            i need {method} on file {place}
        """,
    ),
    family(
        "payment-fee",
        "Fee for {method} payments on {plan}",
        [
            "[Ledgerly Payments takes a fee for each payment it collects.|What a collected payment costs depends on the way it was made and on your plan.]",
            "@cell",
            "@method",
            "@plan",
            "[Fees are taken off the payout, not invoiced.|The fee report lists every payment with its fee.]",
        ],
        cells="""
            card, starter :: On Starter a card payment costs 2.9 percent plus 0.30 euro.
            card, growth :: On Growth a card payment costs 2.4 percent plus 0.25 euro.
            card, business :: On Business a card payment costs 1.9 percent plus 0.25 euro.
            card, enterprise :: On Enterprise a card payment costs the interchange plus 0.4 percent.
            debit, starter :: On Starter a direct debit costs 0.90 euro.
            debit, growth :: On Growth a direct debit costs 0.60 euro.
            debit, business :: On Business a direct debit costs 0.35 euro.
            debit, enterprise :: On Enterprise a direct debit costs 0.20 euro.
            wallet, starter :: On Starter a PayWave payment costs 3.4 percent.
            wallet, growth :: On Growth a PayWave payment costs 2.8 percent.
            wallet, business :: On Business a PayWave payment costs 2.2 percent.
            wallet, enterprise :: On Enterprise a PayWave payment costs 1.7 percent.
            transfer, starter :: On Starter a matched bank transfer costs 0.50 euro.
            transfer, growth :: On Growth a matched bank transfer costs 0.25 euro.
            transfer, business :: On Business matched bank transfers are free of charge.
            transfer, enterprise :: On Enterprise matched bank transfers are free and get an IBAN for each customer.
        """,
        method="""
            card / credit card / visa and mastercard :: Cards from outside Europe cost 1.5 percent more, and the fee is kept when you refund.
            debit = direct debit / SEPA debit / bank debit :: A debit that comes back unpaid costs a further 4 euro, whatever the plan is.
            wallet = PayWave / e-wallet / paywave wallet :: The wallet's own charge is contained in this, and a refund gives the fee back in full.
            transfer = bank transfer / wire transfer / transfers to our account :: The fee covers reading the statement and finding the invoice; transfers matched by hand are never charged.
        """,
        plan="""
            starter = Starter / starter plan / the smallest plan :: Starter has no volume rebate, however much you take in.
            growth = Growth / growth plan / the growth tier :: Growth lowers the fee by a tenth from 20,000 euro a month on.
            business = Business / business plan / the business tier :: Business lowers the fee by a fifth from 100,000 euro a month on.
            enterprise = Enterprise / enterprise plan / enterprise contract :: Enterprise fees stand in the contract and are fixed for its term.
        """,
        asks="""
            fee for {method} on {plan}
            how much does a {method} payment cost with {plan}
            {plan} transaction fee {method}
            what do you charge for {method}, we are on {plan}
            {method} fees {plan}
            cost per {method} payment in {plan}
            percentage taken for {method} {plan}
            price of collecting by {method} under {plan}
            on {plan}, what is deducted for {method}
            {plan}: {method} charges
            are {method} payments free on {plan}
            what does ledgerly take when people pay by {method} and i have {plan}
        """,
    ),
    family(
        "payment-decline",
        "Payment declined with {code}",
        [
            "[The code {code} says why a payment did not go through.|A declined payment carries a code, here {code}.|Beside the failed payment stands {code}.]",
            "@code",
            "[The invoice stays open, and reminders go on as planned.|The attempt is listed in the history of the invoice.]",
            "[No fee is charged for a declined payment.|The customer sees a softer wording than this code.|Ask for another way to pay if it happens again.]",
        ],
        code="""
            lg-5201 = LG-5201 / LG-5201 insufficient funds / no money LG-5201 :: The account or card had not enough money. Ledgerly tries again on the third and seventh day; do not press Retry before.
            lg-5202 = LG-5202 / LG-5202 card expired / expiry LG-5202 :: The card has expired. Send the customer the link Update card, since a retry with the old date will fail each time.
            lg-5203 = LG-5203 / LG-5203 wrong cvc / security code LG-5203 :: The three-digit security code was wrong. The customer must type it again; after five wrong tries the card is locked for a day.
            lg-5204 = LG-5204 / LG-5204 3-d secure / authentication LG-5204 :: The bank wanted a confirmation in its app and got none. Send a payment link, where the customer can confirm within ten minutes.
            lg-5207 = LG-5207 / LG-5207 stolen card / lost card LG-5207 :: The card was reported as lost or stolen. Do not retry, remove the card from the customer and ask for another one.
            lg-5209 = LG-5209 / LG-5209 card limit / limit exceeded LG-5209 :: The payment is above the limit of the card. Split the sum over two payments or ask the customer to have the limit raised.
            lg-5212 = LG-5212 / LG-5212 do not honour / bank refuses LG-5212 :: The issuer refused and gave no reason. Only the customer can find out by calling the bank on the back of the card.
            lg-5218 = LG-5218 / LG-5218 currency not supported / currency LG-5218 :: The card does not take the currency of the invoice. Issue the invoice in the currency of the card or offer a transfer.
            lg-5221 = LG-5221 / LG-5221 mandate missing / no mandate LG-5221 :: There is no valid direct debit mandate, or it was revoked. Request a new one from the tab Payment of the customer.
            lg-5223 = LG-5223 / LG-5223 account closed / closed bank account LG-5223 :: The bank account of the mandate was closed. The mandate has been switched off by itself; ask the customer for a new IBAN and a new signature.
            lg-5230 = LG-5230 / LG-5230 fraud check / risk score LG-5230 :: The risk check of Ledgerly stopped the payment. Look at the reasons under Payments > Risk and allow it there if you know the payer.
            lg-5235 = LG-5235 / LG-5235 double payment / same payment twice LG-5235 :: The same sum for the same invoice came in less than a minute ago. The second one was held back so that nobody pays twice; you need not do anything.
            lg-5240 = LG-5240 / LG-5240 bank offline / issuer not reachable LG-5240 :: The bank of the payer could not be reached. The payment is sent again by itself every hour for one day.
        """,
        asks="""
            {code}
            payment declined {code}
            card payment fails with {code}
            what does {code} mean
            {code} on a customer payment
            how do we fix {code}
            error {code} when charging
            charge refused, code {code}
            should i retry after {code}
            client's payment shows {code}
            {code} declined reason
            got {code} again this month
        """,
    ),
    family(
        "payout-schedule",
        "{frequency} payouts in {currency}",
        [
            "[Money collected by Ledgerly Payments is paid out to your bank account.|A payout sends what was collected, less fees and refunds, to your bank.]",
            "Set the rhythm under Payments > Payouts.",
            "@frequency",
            "@currency",
            "[Bank holidays move a payout to the next working day.|Each payout comes with a statement as PDF and CSV.|A payout that fails is tried again after two days.]",
        ],
        frequency="""
            daily / every day / each working day :: With Daily, what became final until 17:00 is sent on the same evening; this needs a verified company and ninety days of history.
            weekly / every week / once a week :: With Weekly, you pick a weekday, and the payout holds everything that became final until the evening before it.
            monthly / every month / once a month :: With Monthly, the payout is sent on the third working day and fits the calendar month, which bookkeepers like.
            manual / only on demand / when i press the button / by hand :: With Manual, nothing is sent until an owner presses Pay out now; the balance may rest for ninety days at most.
        """,
        currency="""
            eur = euro / EUR / euros :: Euro payouts go by SEPA to any IBAN, arrive on the next working day and have no minimum.
            usd = US dollars / USD / american dollars :: Dollar payouts go by ACH to a US account in two days; to other countries a wire costs 12 dollars.
            gbp = British pounds / GBP / sterling / pounds :: Pound payouts go by Faster Payments to a sort code and arrive within two hours, from 1 pound up.
            chf = Swiss francs / CHF / francs :: Franc payouts go to a Swiss IBAN, arrive in one or two days and start at 20 francs.
        """,
        asks="""
            {frequency} payouts in {currency}
            get paid out {frequency} in {currency}
            how to set {frequency} payout, {currency}
            payout {currency} {frequency}
            want our {currency} sent to the bank {frequency}
            can i receive {currency} {frequency}
            {currency}: switch payouts to {frequency}
            change payout rhythm to {frequency} for {currency}
            money to our account {frequency}, account is in {currency}
            {frequency} settlement {currency}
            when do {currency} arrive if payouts are {frequency}
            transfer balance {frequency} {currency}
        """,
    ),
    family(
        "instalment-plan",
        "Instalments: {rhythm}, {way}",
        [
            "[A large invoice can be paid in instalments.|Let a customer pay a large invoice in parts on agreed days.]",
            "Open the invoice and press More > Instalments.",
            "@rhythm",
            "@way",
            "[The invoice counts as paid when the last part is in.|Reminders look at the parts, not at the whole.|A missed part is shown in red in the plan.]",
        ],
        rhythm="""
            halves = Two equal halves / half now and half later / 50 percent up front and 50 percent at the end :: Choose Halves; the first part is due at once, the second on the due date of the invoice.
            three-months = Three monthly parts / split over three months / 3 monthly instalments :: Choose 3 months; the parts are equal, cents left over go to the first, and no interest is added.
            twelve-months = Twelve monthly parts / split over a year / 12 monthly instalments :: Choose 12 months; interest of up to nine percent a year can be added, and the customer must sign a consent.
            free = Free dates and sums / an own instalment schedule / custom dates and amounts for each part :: Choose Free and fill the table with a day and a sum for each part; the rest is shown until it adds up to zero.
        """,
        way="""
            charged = charged automatically / collected from the stored card / taken by itself from the card on file :: Set Collect to Automatic; each part is taken from the stored card or mandate on the morning of its day.
            invoiced = with an invoice for each part / billed part by part / separate invoice every time :: Set Collect to Invoice; for each part an invoice for a part payment is issued ten days before its day.
            self-paid = paid by the customer through a link / customer pays each part on their own / by payment link mails :: Set Collect to Link; a mail with a link goes out three days before each day, and nothing is taken by itself.
        """,
        asks="""
            instalments: {rhythm}, {way}
            {rhythm}, {way}
            how do i set up {rhythm}, {way}
            let a client pay in {rhythm} - {way}
            pay a big invoice in parts: {rhythm}, {way}
            customer asks for {rhythm}; should be {way}
            payment plan {rhythm} {way}
            installment plan with {rhythm} {way}
            {way}: {rhythm} for one invoice
            is it possible to have {rhythm}, {way}
            divide an invoice into parts, {rhythm}, {way}
            invoice on instalment, {rhythm} and {way}
        """,
    ),
    family(
        "payment-match",
        "{situation}: {action}",
        [
            "[Money on the bank statement must find its invoice.|Ledgerly compares each line of the bank statement with the open invoices.]",
            "@situation",
            "@action",
            "[Open lines are counted in the badge beside Banking.|A match can be undone until the month is closed.]",
        ],
        situation="""
            under = Underpayment / customer paid too little / amount received is short :: When less came in than was asked, the line is shown under Banking > Review with the missing sum in red.
            over = Overpayment / customer paid too much / received more than the invoice :: When more came in than was asked, the line is shown under Banking > Review with the surplus in green.
            no-reference = Payment without reference / no invoice number on the transfer / unknown transfer :: When no invoice number is given, Ledgerly suggests documents by sum and by the account it came from.
            several = One payment for several invoices / a lump sum for many bills / combined transfer :: When one transfer covers several invoices, Ledgerly looks for a group of open ones that adds up to it.
        """,
        action="""
            auto = match automatically / let a rule decide / do it without us :: Under Banking > Rules, add a rule for this case and set a tolerance; lines within it are booked each morning.
            hand = match by hand / assign it manually / pick the invoice ourselves :: Open the line, press Find, tick the documents it belongs to and confirm; a rest can stay open.
            ask = ask the customer / send the payer a question / request clarification from the client :: Press Ask payer; a message with the sum and date goes out, and the line rests until the answer or fourteen days have passed.
            return = send the money back / return the transfer / pay it back to the sender :: Press Return; the sum is put into the next payment file to the account it came from, and no document is touched.
        """,
        asks="""
            {situation}, {action}
            {situation} - how do i {action}
            how to {action} in case of {situation}
            {action} for this: {situation}
            we have a case of {situation} and want to {action}
            bank line {situation} {action}
            can ledgerly {action}, {situation}
            {situation}? i would rather {action}
            what to click to {action} when there is: {situation}
            want to {action}: {situation}
            reconcile {situation} {action}
            {situation} came in, please {action}
        """,
    ),
]
