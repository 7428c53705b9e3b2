"""Invoices: sending, changing, numbering, looks, recurrence, voiding."""

from kit import family

FAMILIES = [
    family(
        "invoice-send",
        "Send {what} by {channel}",
        [
            "[Invoices leave Ledgerly in several ways, and {channel} is one of them.|To deliver {what}, you may use {channel}.]",
            "@what",
            "@channel",
            "[The activity list of the document shows when it left.|A document that was sent can no longer be edited freely.]",
        ],
        what="""
            one = a single invoice / one invoice / just this invoice / one bill :: Open the invoice and press Send at the top right; the status turns from draft to sent at once.
            many = many invoices at once / a batch of invoices / all invoices of the month / bulk invoices :: Tick the boxes in the list, up to 500 of them, and press Send selected; the queue works through them in about ten minutes.
            copy = a copy of an invoice / an invoice again / a duplicate / the same invoice a second time :: Open the sent invoice and press More > Send again; the copy carries the word Copy and keeps the number and date.
        """,
        channel="""
            email / e-mail / mail message :: Choose Email; the PDF is attached, and the text comes from the template that fits the customer's language.
            post = post / paper letter / printed letter / snail mail :: Choose Post; a print partner prints and mails it on the next working day for 1.10 euro a letter, inland only.
            peppol = the Peppol network / e-invoicing / peppol / XML invoice for authorities :: Choose E-invoice; the XML goes to the Peppol address of the customer, which public bodies ask for, and a receipt comes back.
            portal = the customer portal / self-service portal / customers' login area :: Choose Portal only; nothing is mailed, the document just appears in the login area of the customer.
        """,
        asks="""
            send {what} by {channel}
            how do i send {what} via {channel}
            {what} through {channel}
            want to deliver {what} with {channel}
            can {what} go out by {channel}
            {channel}: sending {what}
            customer asks for {what} by {channel}
            where do i choose {channel} when sending {what}
            is there a way to use {channel} for {what}
            need {what} to go via {channel} today
            transmit {what} using {channel}
            {channel} delivery of {what}
        """,
    ),
    family(
        "invoice-change",
        "Change the {field} of {state}",
        [
            "[Whether the {field} can be changed depends on the state of the invoice.|Not every part of an invoice stays open to changes; here it is the {field}.]",
            "@state",
            "@cell",
            "@field",
            "[Each change is listed in the history of the document.|The customer is not told about a change unless you send the document again.]",
        ],
        cells="""
            draft, due-date :: On a draft, click the due date and pick any day, even one in the past.
            draft, address :: On a draft, press the pencil beside the address and type over it.
            draft, lines :: On a draft, add, move and remove lines as you like.
            draft, number :: A draft has no number yet, so there is none to change; it is given when you issue it.
            sent, due-date :: On a sent invoice, use More > Extend due date; only a later day is accepted.
            sent, address :: On a sent invoice, use More > Correct address, which issues the PDF anew under the same number.
            sent, lines :: The lines of a sent invoice cannot be changed; issue a credit note and write a new invoice.
            sent, number :: The number of a sent invoice can never be changed, as numbers must have no gaps.
            paid, due-date :: The due date of a paid invoice is locked; remove the payment first if you must alter it.
            paid, address :: On a paid invoice, a bookkeeper may use More > Correct address within ninety days of the payment.
            paid, lines :: The lines of a paid invoice cannot be changed; credit the single line and refund its amount.
            paid, number :: The number of a paid invoice is fixed for good, and support cannot alter it either.
        """,
        state="""
            draft = a draft invoice / an invoice not sent yet / a draft / an unsent invoice :: A draft is known to nobody but your team.
            sent = a sent invoice / an invoice already sent / an issued invoice that is still open / a bill the customer already has :: A sent invoice is a legal document which the customer holds already.
            paid = a paid invoice / an invoice that is settled / an invoice after payment / a settled bill :: A paid invoice has a payment matched to it and counts as closed.
        """,
        field="""
            due-date = due date / payment deadline / pay-by date / payment term :: Reminders follow the due date that is stored, so they move along with it on the next night.
            address = billing address / customer address / recipient address :: The address in the customer record is not touched by this; change it there too for later documents.
            lines = line items / positions / quantities / items on it :: Stock and revenue reports follow the lines, which is the reason for the strictness.
            number = invoice number / document number / number of the bill :: Prefix and length of numbers are set under Settings > Numbering for documents to come.
        """,
        asks="""
            change {field} of {state}
            can i edit the {field} on {state}
            {state}: wrong {field}
            how to correct {field} in {state}
            i made a mistake in the {field}, it is {state}
            {field} of {state} cannot be changed?
            update {field} for {state}
            is it allowed to alter the {field} of {state}
            modify {state} {field}
            the {field} is wrong on {state}, what do i do
            need another {field} for {state}
            fix the {field} - {state}
        """,
    ),
    family(
        "invoice-numbering",
        "Invoice numbers {scope} that restart {reset}",
        [
            "[Numbers are given by a sequence, and you may have a sequence {scope}.|Under Settings > Numbering you set up sequences, here one {scope}.]",
            "@scope",
            "@reset",
            "[A sequence can be changed until its first document is issued.|The next number is shown in grey below the pattern.|Gaps are reported in the numbering check.]",
        ],
        scope="""
            company = for the whole company / one sequence for everything / a shared company wide counter :: Choose Company; all documents draw from one counter, so invoices of every branch stand in one row.
            branch = for each branch / per location / separate by branch office :: Choose Branch; each location gets letters of its own in front, such as BER or MAD, and its own counter.
            customer = for each customer / per client / a counter by customer :: Choose Customer; the customer number stands in front, and each customer sees numbers that follow one another.
            type = for each document type / per type of document / credit notes apart from invoices :: Choose Type; invoices begin with INV, credit notes with CN and quotes with QU, each with a counter.
        """,
        reset="""
            yearly = every year / on 1 january / with the new year / annually :: Set Restart to Yearly; the counter returns to 1 on the first day of the fiscal year, and the year must be part of the pattern.
            monthly = every month / each month / on the first of the month :: Set Restart to Monthly; the counter returns to 1 with the month, and both year and month must be part of the pattern.
            never = never / not at all / without ever restarting / running on forever :: Set Restart to Never; the counter runs on without end, and the year may be left out of the pattern.
        """,
        asks="""
            invoice numbers {scope}, restart {reset}
            numbering {scope} that starts over {reset}
            how to have the counter {scope} reset {reset}
            i want invoice numbering {scope} and the reset {reset}
            set number sequence {scope} restarting {reset}
            can numbers start at 1 {reset} and be kept {scope}
            counter {scope} - begin again {reset}
            number range {scope}, start over {reset}
            our accountant says numbers {scope}, restarting {reset}
            {scope} numbering, restarts {reset}
            change sequence so it is {scope} and restarts {reset}
            invoice sequence: {scope} / reset {reset}
        """,
    ),
    family(
        "document-layout",
        "Put {element} on {document}",
        [
            "[The look of {document} is set in the layout editor.|Each kind of document has a layout of its own; this page is about {document}.]",
            "@document",
            "To show {element} there, do this.",
            "@element",
            "[Documents already issued keep their old look.|Press Preview to see the page with real data.|Save under a new name to keep the old layout.]",
        ],
        document="""
            invoices / bills / our invoices :: Open Settings > Layouts > Invoices, where the parts required by law are marked with a lock and cannot be removed.
            quotes / offers / quotations / estimates :: Open Settings > Layouts > Quotes, where a line for the signature and the last day of validity are printed by default.
            delivery-notes = delivery notes / packing slips / shipping papers :: Open Settings > Layouts > Delivery notes, where prices are hidden by default and only quantities are printed.
            reminders / dunning letters / overdue notices :: Open Settings > Layouts > Reminders, where each level has a page of its own and level two is red.
        """,
        element="""
            logo = a logo / our company logo / brand image :: Drag a PNG or SVG of at most 1 MB into the header; it is printed 40 mm wide and can stand left, centred or right.
            footer = a footer text / text at the bottom / small print at the end of the page :: Click the lowest box and type up to 400 characters; register number and managing director belong there.
            bank = bank details / our IBAN / account number for transfers :: Switch on Bank details and choose one of your accounts; the one in the currency of the document is taken by itself.
            qr = a payment QR code / qr code / scan to pay code :: Switch on QR code; phones of the customer read the amount and the reference from it and open the banking app.
        """,
        asks="""
            put {element} on {document}
            how do i add {element} to {document}
            {element} missing on {document}
            {document} should show {element}
            change {element} of {document}
            where is the setting for {element} on {document}
            can we have {element} on our {document}
            {document} layout: {element}
            print {element} on {document}
            i would like {element} to appear on all {document}
            {document} - {element} how
            customise {document} with {element}
        """,
    ),
    family(
        "recurring-invoice",
        "{interval} recurring invoice that ends {ending}",
        [
            "[A recurring invoice is written by Ledgerly itself from a template.|Let Ledgerly repeat an invoice in place of copying it by hand.]",
            "Open an invoice, press More > Repeat.",
            "@interval",
            "@ending",
            "[Each copy is created at 05:00 and sent if Auto-send is on.|Change the template to alter later copies; earlier ones stay.|The list Repeating shows the next date of each.]",
        ],
        interval="""
            weekly / every week / once per week :: Set Interval to Weekly and choose the weekday; the period printed on the copy runs for seven days from that day.
            monthly / every month / once per month :: Set Interval to Monthly and choose the day; in short months the last day is taken where the chosen one is missing.
            quarterly / every three months / four times a year :: Set Interval to Quarterly; copies are written in January, April, July and October unless you shift the start.
            yearly / every year / once a year / annual :: Set Interval to Yearly; a note reaches you thirty days before, so that you can check the price.
        """,
        ending="""
            count = after a number of times / after a fixed number of copies / after 6 copies :: Under End, choose After and type how many copies are wanted; the counter shows how many are left.
            date = on a set date / on a fixed end date / by a certain day :: Under End, choose On date and pick the last day; a copy that would fall behind it is not written.
            never = never / only when stopped / with no end / open ended :: Under End, choose Never; the series goes on until someone presses Stop or the customer is archived.
        """,
        asks="""
            {interval} recurring invoice, ends {ending}
            repeat an invoice {interval} ending {ending}
            how to bill the same thing {interval} and have it stop {ending}
            set up automatic invoice {interval}, end {ending}
            invoice that repeats {interval}, finishing {ending}
            {interval} invoice series, should end {ending}
            i want to charge a client {interval}; it ends {ending}
            recurring bill {interval} - ends {ending}
            automatic copies {interval}, end of series {ending}
            standing invoice {interval} that stops {ending}
            repeat billing {interval}, over {ending}
            copy invoice by itself {interval} with the end {ending}
        """,
    ),
    family(
        "invoice-remove",
        "{action} {state}",
        [
            "[There are several ways to be rid of an invoice, and the right one depends on its state.|An invoice may not simply vanish; what is allowed depends on how far it got.]",
            "@cell",
            "@action",
            "@state",
            "[Numbers are never given out a second time.|The history keeps who did it and when.|Reports follow within an hour.]",
        ],
        cells="""
            delete, draft :: To delete a draft, press More > Delete; it is gone at once.
            delete, sent :: A sent invoice cannot be deleted; void it instead.
            delete, paid :: A paid invoice cannot be deleted, neither by you nor by support; use a credit note.
            void, draft :: A draft cannot be voided, since it has no number; there is nothing to void.
            void, sent :: To void a sent invoice, press More > Void and give a reason; the amount owed becomes zero.
            void, paid :: To void a paid invoice, unmatch its payment first; then More > Void appears.
            write-off, draft :: A draft cannot be written off because nobody owes it yet.
            write-off, sent :: To write off a sent invoice, press More > Write off; the loss is booked as bad debt.
            write-off, paid :: Writing off a paid invoice is not possible, but a rest of up to five euro can be.
            archive, draft :: To archive a draft, tick it in the list and press Archive; it can be fetched back.
            archive, sent :: To archive a sent invoice, it must be older than a year; reminders for it then stop.
            archive, paid :: To archive a paid invoice, press More > Archive on any day after it was settled.
        """,
        action="""
            delete / erase / remove for good / delete completely :: Deleting takes the document out of every list and cannot be taken back.
            void / annul / invalidate / mark as void :: Voiding keeps the document with a line across it, so that auditors still find it.
            write-off = write off / mark as uncollectible / book as bad debt :: Writing off keeps the turnover and books the open amount as a loss for tax purposes.
            archive / hide / put away / move to the archive :: Archiving only hides the document from the usual lists; its figures remain in the reports.
        """,
        state="""
            draft = a draft invoice / an unsent invoice / a draft / an invoice i never sent :: Drafts have not reached the customer and carry no number.
            sent = a sent invoice / an open invoice already sent / an unpaid invoice the customer received :: Sent invoices wait for the payment of the customer and are part of the receivables.
            paid = a paid invoice / an invoice that was paid / a settled invoice :: Paid invoices are closed, with money booked against them.
        """,
        asks="""
            {action} {state}
            how do i {action} {state}
            can i {action} {state}
            {state} - need to {action} it
            is it possible to {action} {state}
            why can't i {action} {state}
            i want to {action} {state}
            {action} button for {state}
            what happens if i {action} {state}
            trying to {action} {state}, where is it
            please tell me how to {action} {state}
            {state}, {action}
        """,
    ),
]
