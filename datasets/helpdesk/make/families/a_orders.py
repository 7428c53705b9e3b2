"""Orders and reports."""

from kit import family

FAMILIES = [
    family(
        "order-change",
        "{action} {stage}",
        [
            "[What you can do with an order depends on how far it has come.|Orders stay open to changes until goods leave the house, and partly beyond.]",
            "@stage",
            "@cell",
            "@action",
            "[The order history shows each step.|The customer gets a message only if you tick Notify.]",
        ],
        cells="""
            cancel, new :: Press Cancel order; it closes at once.
            cancel, paid :: Press Cancel order and choose what happens to the money: a refund or a balance for later.
            cancel, packed :: Press Recall first, wait for the warehouse to confirm, and then Cancel order.
            cancel, shipped :: Cancelling is no longer possible; wait for the goods and enter a return.
            edit, new :: Press Edit; items, prices and delivery address are all open.
            edit, paid :: Press Edit; a higher sum creates a payment link for the difference, a lower sum a partial refund.
            edit, packed :: Only the delivery note text is still open; for items, recall the parcel first.
            edit, shipped :: Nothing but the internal note can be edited once it is on the road.
            split, new :: Press Split and drag items to the second order; both get the same terms.
            split, paid :: Press Split; the payment is divided in proportion to the value of the two parts.
            split, packed :: Press Split by parcel; only whole parcels can be moved to the second order.
            split, shipped :: Splitting is not possible; further items need a new order.
            hold, new :: Press Hold and give a reason; no confirmation and no payment request goes out.
            hold, paid :: Press Hold; the money stays booked and the warehouse does not see the order.
            hold, packed :: Press Hold parcel before 15:00; later ones leave with the carrier that day.
            hold, shipped :: An order on the road cannot be held; ask the carrier to stop delivery.
        """,
        action="""
            cancel / call off / stop for good / withdraw :: A cancelled order gives back its reserved stock and counts as zero in the sales report.
            edit / modify / change items in / alter :: An edit raises the version shown behind the order number, such as 1042-2.
            split / divide in two / break up / separate into two :: A split gives the second order the letter B, and both are invoiced separately.
            hold = put on hold / pause / freeze / hold back :: A held order is yellow in the list until someone presses Release.
        """,
        stage="""
            new = an unpaid order / a new order not paid yet / an order awaiting payment :: An unpaid order is only a reservation of stock.
            paid = a paid order / an order the customer has paid for / an order with payment received :: A paid order waits for the warehouse.
            packed = a packed order / an order that is already packed / an order boxed up in the warehouse :: A packed order stands at the dock with a label on it.
            shipped = a shipped order / an order that has left / an order already with the carrier :: A shipped order has a tracking number and is out of your hands.
        """,
        asks="""
            {action} {stage}
            how do i {action} {stage}
            can we {action} {stage}
            {stage}: possible to {action} it
            need to {action} {stage} urgently
            is it too late to {action} {stage}
            customer called, wants us to {action} {stage}
            what does it take to {action} {stage}
            want to {action} {stage} but the button is grey
            trying to {action} {stage}
            {stage} {action}
            please explain how we {action} {stage}
        """,
    ),
    family(
        "order-source",
        "{task} orders from {source}",
        [
            "[Orders reach Ledgerly from several places, and {source} is one of them.|For orders that come in from {source}, the rules can be set apart from the rest.]",
            "Go to Sales > Channels.",
            "@source",
            "@task",
            "[Other channels keep their own rule.|The rule holds for orders that come in from now on.]",
        ],
        source="""
            shop = the web shop / our online shop / the webshop :: Pick Web shop; orders arrive within a minute by way of the shop plug-in and carry the basket number.
            marketplace = a marketplace / the big marketplace / marketplace seller account :: Pick Marketplace; orders arrive every fifteen minutes, and the buyer's email is replaced by an alias there.
            phone = phone calls / telephone orders / people ringing us :: Pick Phone; your staff types these orders with the quick form, and the name of the person is stored.
            till = the shop till / point of sale / the cash register / POS :: Pick Till; sales arrive in one batch after the till is closed for the day, already marked as paid.
        """,
        task="""
            auto-invoice = automatically invoice / create invoices by itself for / write invoices without a click for :: Switch on Auto-invoice; the invoice is issued as soon as the order is shipped, or for paid ones at once.
            review = manually approve / check by hand / hold for review :: Switch on Review; new orders wait in the tab To check until someone with the role Sales presses Accept.
            confirm = send confirmations for / mail an order confirmation for / confirm by email :: Switch on Confirmation; the customer gets a message from the template Order received, in the language of the order.
            tag = tag and sort / put a label on / mark with a tag :: Enter one or more labels; each order from there carries them, and lists and reports can be filtered by them.
        """,
        asks="""
            {task} orders from {source}
            how can i {task} orders coming in from {source}
            want to {task} everything from {source}
            {source}: {task} the orders
            set ledgerly to {task} orders of {source}
            orders from {source}, we would like to {task} them
            can ledgerly {task} orders made through {source}
            {task} what arrives by {source}
            rule to {task} the orders {source} brings
            for {source} only, {task} each order
            i must {task} orders out of {source}
            channel setting {source} {task}
        """,
    ),
    family(
        "order-return",
        "{kind} entered by {who}",
        [
            "[After delivery things may go wrong, and Ledgerly has a form for each case.|What comes after delivery is handled in the tab Returns of the order.]",
            "@who",
            "@kind",
            "[A case number such as R-2041 is given to each.|Photos of up to 10 MB can be added.|The return report counts cases by reason.]",
        ],
        kind="""
            return = Return for money back / return with refund / send goods back for the money :: Choose Return; when the parcel has been checked in, a credit note is drafted and the payment is refunded.
            exchange = Exchange for another item / swap for a different size / exchange goods :: Choose Exchange and the new item; the price difference is invoiced or credited, and both parcels hang on one case.
            replacement = Replacement of a broken item / replace damaged goods / new one for a defective product :: Choose Replacement; a second delivery at zero price is created at once, and the broken piece need not come back.
            missing = Missing item / something was not in the parcel / incomplete delivery :: Choose Missing; Ledgerly compares the weight of the parcel and creates a follow-up delivery or a credit for that item.
        """,
        who="""
            customer = the customer in the portal / customers themselves / the buyer through self service :: The customer signs in to the portal, opens the order and presses Report a problem; this is open for thirty days after delivery.
            staff = your staff / someone on our team / support people in the office :: A member of staff opens the order, goes to the tab Returns and presses New case; there is no time limit here.
            api = the API / a program / our own system / a script :: A program sends a POST to the cases endpoint with order, item and reason; the answer holds the case number and the label.
            warehouse = the warehouse app / the people in the warehouse / scanner device :: In the warehouse, the label is scanned with the app and the case is chosen on the device, which works offline too.
        """,
        asks="""
            {kind}, entered by {who}
            how does {who} enter this: {kind}
            {kind} through {who}
            can {who} start a case for {kind}
            {who} should record a {kind}
            steps for {who}: {kind}
            we have a {kind}, to be put in by {who}
            let {who} register {kind}
            is {who} able to file {kind}
            {kind} - done by {who}
            where does {who} go for {kind}
            set up {kind} by {who}
        """,
    ),
    family(
        "report-filter",
        "Filter the {report} by {field}",
        [
            "[The {report} shows everything until you filter it.|A filter narrows the {report} to what you need.]",
            "@report",
            "@field",
            "[Several filters are joined by and.|A filter can be saved as a view with a name.|The chips above the table show which filters are on.]",
        ],
        report="""
            sales = sales report / revenue report / turnover report :: Open Reports > Sales and press Filter; the chart and the table below it follow together.
            aging = aging report / overdue list report / receivables report :: Open Reports > Receivables and press Filter; the columns for thirty, sixty and ninety days are summed anew.
            tax = tax report / VAT report / sales tax report :: Open Reports > Tax and press Filter; a filtered view carries a warning, as it is not fit for the return.
            payments = payments report / incoming payments report / money received report :: Open Reports > Payments and press Filter; fees and refunds that belong to the payments shown are filtered along.
        """,
        field="""
            customer = customer / client / a single customer :: Add Customer and type three letters of the name; a group of customers can be chosen in the same box.
            country = country / region / where the buyer lives :: Add Country; the billing address counts, not the place of delivery, and the EU can be picked as a whole.
            product = product / item / article sold :: Add Product; documents with several items are shown with the part that belongs to the chosen item only.
            person = sales person / account owner / who sold it :: Add Owner; the person who owned the customer on the day of the document counts, even if it changed since.
        """,
        asks="""
            filter {report} by {field}
            how do i filter the {report} on {field}
            {report} for one {field} only
            narrow down {report} to a certain {field}
            can the {report} be broken down by {field}
            {field} filter in {report}
            show {report} just for a given {field}
            i want the {report} limited by {field}
            {report} {field}
            restrict the {report} by {field}
            see only some of the {report}, by {field}
            in the {report} where do i pick {field}
        """,
    ),
    family(
        "report-access",
        "What a {role} can do: {action}",
        [
            "[Reports hold sensitive figures, so each role sees and does different things.|Which reports are open to whom is a matter of the role.]",
            "@cell",
            "@action",
            "@role",
            "[An owner can change this under Settings > Roles > Reports.|A change of rights takes effect at the next sign-in.]",
        ],
        cells="""
            admin, view :: An admin can view every report, those on margins included.
            admin, share :: An admin can share any report by link, with people outside too.
            admin, edit :: An admin can edit the columns and formulas of every report.
            bookkeeper, view :: A bookkeeper can view the reports on tax, receivables and cash, but not those on staff.
            bookkeeper, share :: A bookkeeper can share reports with colleagues, but not with people outside.
            bookkeeper, edit :: A bookkeeper can edit a copy of a report; the original stays as it is.
            sales, view :: Someone with the role Sales can view only figures of customers of their own.
            sales, share :: Someone with the role Sales cannot share reports at all.
            sales, edit :: Someone with the role Sales cannot edit reports, but can reorder columns on screen.
            viewer, view :: A viewer can view the reports that were pinned to the dashboard, and no others.
            viewer, share :: A viewer cannot share, and the Share button is hidden.
            viewer, edit :: A viewer cannot edit anything, the date range excepted.
        """,
        role="""
            admin / administrator / user with admin rights :: Admins are limited only by what owners keep for themselves, such as billing of Ledgerly itself.
            bookkeeper / someone with the bookkeeper role / bookkeeping user :: Bookkeepers come in two kinds, internal and external; both have the same rights on reports.
            sales = sales user / sales rep / someone in sales :: Sales users may be given team view, which adds the customers of their colleagues.
            viewer / read only user / guest with view rights :: Viewers do not count as a paid seat, which is why their rights end so early.
        """,
        action="""
            view = view reports / see the reports / open reports :: Viewing includes drilling down to the document behind a figure, as far as the role may open it.
            share = share reports / send a report link to others / pass reports on :: Sharing creates a link that ends after fourteen days and shows the report as of that day.
            edit = edit reports / change report columns / modify a report layout :: Editing means changing columns, grouping and formulas, which is saved for the whole company.
        """,
        asks="""
            can {role} {action}
            {role} {action}
            is a {role} allowed to {action}
            what rights does a {role} have to {action}
            {role} cannot {action}, is that right
            we have a {role} who wants to {action}
            does the role {role} let you {action}
            {action} as {role}
            permission to {action} for {role}
            why is our {role} unable to {action}
            i am {role}, may i {action}
            should a {role} be able to {action}
        """,
    ),
    family(
        "report-compare",
        "Compare {measure} {period}",
        [
            "[Under Reports > Compare two spans of time are set side by side, here for {measure}.|To see how {measure} moved, use Reports > Compare.]",
            "@measure",
            "@period",
            "[A green arrow means better, a red one worse.|The difference is shown as a sum and in percent.|Spans that are not over yet are drawn with a dashed line.]",
        ],
        measure="""
            revenue / turnover / sales figures :: Choose Revenue; the figures are net of tax and of credit notes, taken by the date of the invoice.
            new-customers = new customers / customer growth / clients won :: Choose New customers; a customer counts in the span of the first invoice, not of the sign-up.
            margin = profit margin / gross margin / margin percentage :: Choose Margin; products without a cost price are left out, and their number is stated below.
            overdue = overdue amount / unpaid past due money / late receivables :: Choose Overdue; what was open on the last day of each span is taken, without later payments.
        """,
        period="""
            month = month by month / with last month / against the previous month :: Choose Month on month; shorter months are not scaled up, so February looks smaller than it is.
            year = with the same month last year / year over year / against last year :: Choose Year on year; each month stands beside the same month of the year before, which takes the season out.
            quarter = by quarter / quarter against quarter / with the previous quarter :: Choose Quarter; quarters follow the fiscal year set in the company profile, not the calendar.
            custom = for two free date ranges / with custom dates / any two periods i pick :: Choose Free ranges and set both by hand; they may have different lengths, and then daily means are compared.
        """,
        asks="""
            compare {measure} {period}
            how do i compare {measure} {period}
            {measure} {period}
            see {measure} {period} in a report
            want {measure} compared {period}
            is there a report for {measure} {period}
            show me {measure} {period}
            trend of {measure} {period}
            put {measure} side by side {period}
            {period} comparison of {measure}
            chart {measure} {period}
            did our {measure} rise, look at it {period}
        """,
    ),
]
