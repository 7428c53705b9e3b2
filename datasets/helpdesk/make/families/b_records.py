"""Handling records: archive, merge, bulk edits, scheduled jobs, signatures."""

from b_grid import V, grid

FAMILIES = [
    grid(
        "archive-delete",
        {
            "action": {
                "archive": V("archive|put away without deleting|hide old entries in", n="archive", s="Archiving hides a record from lists and pickers but keeps all that hangs on it; choose Actions > Archive."),
                "restore": V("bring back archived|unarchive|reactivate archived", n="restore", s="To restore, tick Show archived above the list, open the record and press Restore; it is as it was, links included."),
                "delete": V("permanently delete|delete for ever|remove with no way back", n="permanently delete", s="Deleting for ever is in the archive only: Actions > Delete for ever, then type the name to confirm; no trash follows."),
            },
            "object": {
                "customers": V("customers|clients|customer records", n="customers", archive="Customers with open invoices can be archived too, and reminders for them go on.",
                    restore="Customers come back with their portal access switched off, which you turn on again by hand.", delete="Customers who ever had an issued invoice cannot be deleted for ever; erase their personal data instead."),
                "products": V("products|catalogue items|articles for sale", n="products", archive="Products in running subscriptions cannot be archived until the last of these has ended.",
                    restore="Products come back with their old price, which may be out of date by now.", delete="Products can be deleted for ever even after they were sold, since invoices carry a copy of the text."),
                "projects": V("projects|jobs we track time on|client projects", n="projects", archive="Projects with unbilled hours ask you first whether to bill these or write them off.",
                    restore="Projects come back closed for time entries; press Reopen for people to log hours.", delete="Projects take their time entries along when deleted for ever, so export the hours before."),
                "price-lists": V("price lists|rate cards|special price tables", n="price lists", archive="Price lists that customers are assigned to send those back to the standard list.",
                    restore="Price lists come back without the customers they once had; assign them anew.", delete="Price lists may be deleted for ever at any time but the standard one, which always stays."),
            },
        },
        "{action.n} {object.n}",
        [["How to {action.n} {object.n}, and what it means for what is linked to them.", "This page is for those who want to {action.n} {object.n}."], "{action.s}", "{cell}",
         ["Archiving, restoring and deleting have quite different effects, so be sure which you want. Up to 200 may be ticked at a time.", "Mind the difference between archiving and deleting. You can tick up to 200 rows and treat them together."]],
        ["{action} {object}", "how do i {action} {object}", "can i {action} {object}", "{object}: how to {action}", "want to {action} {object}", "need to {action} some {object}", "is it possible to {action} {object}", "where can i {action} {object}", "what happens if i {action} {object}", "{action} a bunch of {object}", "ledgerly won't let me {action} {object}", "steps to {action} {object}"],
        {f"{a}/{o}": "{object.%s}" % a for a in ("archive", "restore", "delete") for o in ("customers", "products", "projects", "price-lists")},
    ),
    grid(
        "merge-split",
        {
            "action": {
                "merge": V("merge two|combine duplicate|join double", n="merge"),
                "split": V("split one entry of|separate wrongly combined|divide into two", n="split"),
                "undo": V("undo a merge of|reverse the merging of|unmerge", n="undo a merge of"),
            },
            "object": {"customers": V("customers|client records|buyer accounts", n="customers"), "products": V("products|catalogue items|stock articles", n="products"), "suppliers": V("suppliers|vendors|vendor records", n="suppliers"), "tags": V("tags|labels|labels on documents", n="tags")},
        },
        "{action.n} {object.n}",
        ["{cell}", ["The rules for {object.n} are not those for other records.", "Other kinds of records follow other rules than {object.n}."],
         ["Issued documents are never altered by this, as they keep the names and numbers they were sent with. The History tab tells who did it and when.", "Documents already issued keep the names and numbers they were sent with. Who did it and when is written in the History tab."]],
        ["{action} {object}", "how to {action} {object}", "can i {action} {object}", "need to {action} {object}", "{object}: {action}", "i'd like to {action} our {object}", "is there a way to {action} {object}", "we have to {action} {object} in ledgerly", "where do i {action} {object}", "trying to {action} {object}", "please help me {action} {object}", "does ledgerly {action} {object}"],
        {
            "merge/customers": "To merge customers tick exactly two in the list, press Actions > Merge and pick which one stays. Invoices, notes and cards move to it; differing fields are shown side by side.",
            "merge/products": "To merge products open the one that goes, press More > Replace by and name the one that stays. Stock is added up, and subscriptions change over at their next renewal.",
            "merge/suppliers": "To merge suppliers tick up to ten and press Actions > Merge; the oldest always stays. Bank details must be equal, or the button is refused for safety.",
            "merge/tags": "To merge tags drag one onto another under Settings > Tags. All documents change at once, and saved filters with the old tag use the new one.",
            "split/customers": "To split a customer open the record, press More > Split and tick the invoices and contacts that move to the new one. Paid subscriptions can't be moved.",
            "split/products": "A product cannot be split. Make a copy with More > Duplicate, change its name and move the stock between both by a correction.",
            "split/suppliers": "To split a supplier press More > Split by location: a new record arises for each delivery address, and open bills follow the address they name.",
            "split/tags": "A tag cannot be split by itself. Filter the documents, tick those that should differ and press Actions > Change tag, 500 at a time.",
            "undo/customers": "A merge of customers can be undone for 30 days: open the one that stayed, press History > Undo merge. Invoices made since then stay with it.",
            "undo/products": "Replacing a product cannot be undone, since stock was added up. Restore the old one from the archive and correct both quantities by hand.",
            "undo/suppliers": "A merge of suppliers can be undone for 24 hours under History > Undo merge, after which the bank details of the others are gone.",
            "undo/tags": "Joining tags can be undone only with the arrow shown for ten seconds after the drop; later there is no way to tell them apart, and documents would have to be tagged anew.",
        },
    ),
    grid(
        "bulk-edit",
        {
            "object": {
                "invoices": V("invoices|bills|sales invoices", n="invoices", cap="500"), "customers": V("customers|clients|contacts", n="customers", cap="2,000"),
                "products": V("products|catalogue items|items in the price list", n="products", cap="5,000"), "subscriptions": V("subscriptions|recurring plans of customers|running subscriptions", n="subscriptions", cap="250"),
            },
            "task": {
                "limit": V("how many at once can i change|maximum number to edit together|limit per bulk edit", n="how many at once", invoices="They are drafts only; issued ones are skipped and counted in the last line.",
                    customers="Those that came from a CRM link count, but their grey fields are skipped.", products="Variants count one each, so a shirt in ten sizes is ten.", subscriptions="Those in their last paid period are skipped and named in a list."),
                "undo": V("undo a bulk change|take back a mass edit|revert changes made to many", n="undo a bulk change", invoices="For invoices press Undo in the green bar within 60 seconds; later each draft has to be edited alone.",
                    customers="For customers open Settings > Bulk changes and press Reverse within 7 days.", products="For products there is no undo; read the price file back in that is mailed to you before each change.", subscriptions="For subscriptions a change waits until midnight, and before that Cancel change stops it."),
                "fields": V("which fields can be changed in bulk|what can i mass edit|fields for mass change", n="fields", invoices="Of invoices these fields can be changed in bulk: due date, tag, payment terms and language; amounts are never changed together.",
                    customers="Of customers these fields can be changed in bulk: tag, person in charge, language and terms, but neither name nor tax number.", products="Of products these fields can be changed in bulk: price by percent, tax rate, unit and category.", subscriptions="Of subscriptions these fields can be changed in bulk: price by amount, next date and payment method reminder."),
            },
        },
        "Bulk edit of {object.n}: {task.n}",
        ["{cell}", ["Tick {object.n} in their list, or all of them with the box above, and press Actions > Edit together.", "Bulk edits of {object.n} begin in their list: tick the rows and press Actions > Edit together."],
         ["A preview shows the first five rows before and after. Other kinds of records have other limits, other fields and other ways back.", "Before anything is written, five rows are shown old and new. Limits, fields and the way back are different for each kind of record."],
         ["Members need the right Bulk edit. A run is noted in the audit log as one entry.", "It takes the right Bulk edit, which Viewers lack; the audit log holds one entry a run."]],
        ["{task}, {object}", "bulk edit of {object}: {task}", "{task} for {object}", "mass change in ledgerly, {object}, {task}", "question about bulk editing - {task} - {object}", "{object} bulk edit, {task}", "{task}, i mean {object}", "editing many {object}: {task}", "list of {object}, {task}", "{task} when it is our {object}", "{task}, specifically {object}", "help, {object}, {task}"],
        {
            **{f"{o}/limit": "At most {object.cap} {object.n} can be edited at once; above that the button stays grey. {task.%s}" % o for o in ("invoices", "customers", "products", "subscriptions")},
            **{f"{o}/{t}": "{task.%s}" % o for o in ("invoices", "customers", "products", "subscriptions") for t in ("undo", "fields")},
        },
    ),
    grid(
        "scheduled-job",
        {
            "job": {
                "recurring": V("recurring invoices|monthly repeating invoices|automatic invoice run", n="recurring invoices", s="The job recurring invoices runs at 04:00 on the day each series names and sends at once or leaves drafts."),
                "reminders": V("payment reminders|reminder run|automatic overdue notices", n="payment reminders", s="The job payment reminders runs on working days at 09:00 and picks the level by days overdue."),
                "reports": V("report mails|scheduled reports|regular report by email", n="report mails", s="The job report mails runs at 07:00 on chosen weekdays, for up to 20 readers."),
                "rates": V("exchange rate update|currency rate download|daily rates job", n="exchange rate update", s="The job exchange rate update runs at 17:00 on bank days and asks the central bank."),
            },
            "task": {
                "pause": V("pause|stop for a while|suspend over the holidays", n="pause", s="Press the two bars at its row and give a date to go on; runs that fall in between are left out, not made up for."),
                "now": V("run now|start right away|trigger immediately", n="run now", s="Press the arrow at its row to start it at once; the planned run still takes place and skips what is done."),
                "time": V("change the time of|run at another hour|move to a different time of day", n="change the time of", s="Press the clock at its row and pick a full hour; the new hour counts from tomorrow on."),
                "failed": V("see the failures of|find the error in last night's|check what went wrong with", n="see failures of", s="Press the number in red at its row; each failure shows record, reason and a Retry, and is kept for 30 days."),
            },
        },
        "{task.n} {job.n}",
        [["To {task.n} {job.n}, go to Settings > Jobs, where every job has a row.", "Under Settings > Jobs, in the row of that job, you can {task.n} {job.n}."], "{task.s}", "{job.s}",
         ["Other jobs are not touched by it. Only Admins see the page.", "It does nothing to other jobs, and the page is for Admins."]],
        ["{task} {job}", "how do i {task} {job}", "{job}: {task}", "{task} the {job}", "can i {task} {job}", "want to {task} our {job}", "jobs page, {task} {job}", "is it possible to {task} {job}", "need to {task} {job} today", "{job} - {task} it", "where do i {task} the {job}", "admin wants to {task} {job}"],
    ),
    grid(
        "e-signature",
        {
            "document": {
                "quote": V("quote|offer|estimate", n="quote", s="A signed quote turns green and can be made into an invoice with one press."),
                "contract": V("contract|service agreement|framework contract", n="contract", s="A contract may have up to six signers in a fixed order, your own people among them."),
                "mandate": V("direct debit mandate|sepa mandate|debit authorisation", n="direct debit mandate", s="A direct debit mandate is signed by the holder of the account alone, and its reference is used from the next debit on."),
                "delivery": V("delivery note|proof of delivery|delivery slip", n="delivery note", s="A delivery note is signed on the spot and needs only a name beside the stroke."),
            },
            "step": {
                "request": V("send for signature|get signed online|request a signature on", n="send for signature", s="Open it, press Sign > Request, enter the signer's mail address and choose simple or advanced; the link lives for 21 days."),
                "remind": V("remind the signer of|nudge the person who has to sign|chase the missing signature on", n="remind the signer of", s="Open it and press Sign > Remind; by itself one mail goes out after 3 days and one after 10, in the signer's language."),
                "certificate": V("download the signing certificate of|get proof of signature for|show who signed and when on", n="signing certificate of", s="Open it and press Sign > Certificate for a PDF with names, addresses of the computers and a time stamp from a trust service."),
                "withdraw": V("cancel the signature request for|withdraw the pending signing of|call back an unsigned", n="withdraw the request for", s="Open it and press Sign > Withdraw with a reason; the link then shows that text, and strokes given so far are void."),
            },
        },
        "{step.n} a {document.n}",
        [["The steps to follow when the document is a {document.n}.", "What to do in the case of a {document.n}."], "{step.s}", "{document.s}",
         ["Ten signatures a month are included from the Team plan on, others are billed singly. Other kinds of documents have the same menu but other rules.", "From the Team plan on ten signatures a month are free. Documents of other kinds share the menu, but their rules are not the same."]],
        ["{step} {document}", "how do i {step} a {document}", "{document}: {step}", "e-signature, {step} {document}", "need to {step} our {document}", "can i {step} the {document}", "want to {step} {document}", "is it possible to {step} a {document}", "{step} the {document} of a client", "electronic signing: {step} {document}", "where do i {step} the {document}", "please help, {step} {document}"],
    ),
]
