"""The API: errors, versions, limits, keys, client libraries."""

from kit import family

FAMILIES = [
    family(
        "api-error",
        "API error {code}",
        [
            "[The API answers with {code} in the field error.code.|When a request is refused, the field error.code says {code}.|A body with {code} means that the request was not carried out.]",
            "@code",
            "[The field error.param names the part of the request concerned.|Give the request id to support if you cannot find the cause.]",
            "[Nothing was saved by the request.|The error is also shown under Developers > Requests.|Client libraries raise it as an exception of their own.]",
        ],
        code="""
            e-auth-key = E_AUTH_KEY / E_AUTH_KEY invalid api key / bad key E_AUTH_KEY :: The key is unknown, was revoked or belongs to the sandbox. Look at its first eight letters under Developers > Keys and take one for live mode.
            e-auth-scope = E_AUTH_SCOPE / E_AUTH_SCOPE missing scope / key not allowed E_AUTH_SCOPE :: The key is valid but lacks the scope for this call. Add the scope to the key; a new key is not needed.
            e-param-missing = E_PARAM_MISSING / E_PARAM_MISSING required field / field missing E_PARAM_MISSING :: A field that is required was not sent. Mind that null counts as missing, while an empty string does not.
            e-param-type = E_PARAM_TYPE / E_PARAM_TYPE wrong type / string instead of number E_PARAM_TYPE :: A field has the wrong type, mostly a sum sent as text. Send whole cents as a number, without quotes.
            e-not-found = E_NOT_FOUND / E_NOT_FOUND no such object / unknown id E_NOT_FOUND :: No record has this id in your company. Check whether it was made in the sandbox, whose ids begin with tst_.
            e-conflict = E_CONFLICT / E_CONFLICT version conflict / changed meanwhile E_CONFLICT :: The record was changed by someone else since you read it. Fetch it again, apply your change and send the new version number.
            e-idempotency = E_IDEMPOTENCY / E_IDEMPOTENCY key reused / same idempotency key E_IDEMPOTENCY :: The idempotency key was used before with another body. Use a fresh key for each new intent and the old one for repeats only.
            e-locked-period = E_LOCKED_PERIOD / E_LOCKED_PERIOD closed month / period locked E_LOCKED_PERIOD :: The date falls in a month that has been closed. Send a later date or have a bookkeeper reopen the month.
            e-user-quota = E_USER_QUOTA / E_USER_QUOTA no free seat / too many users E_USER_QUOTA :: All seats that were paid for are taken. Buy another seat or deactivate a user before you create the next one.
            e-plan-feature = E_PLAN_FEATURE / E_PLAN_FEATURE not in plan / upgrade needed E_PLAN_FEATURE :: The call uses a feature that your plan does not hold. The field error.plan names the smallest plan that has it.
            e-currency = E_CURRENCY / E_CURRENCY mismatch / currencies differ E_CURRENCY :: Customer and document have different currencies. A customer keeps the currency of the first invoice for good.
            e-tax-id = E_TAX_ID / E_TAX_ID invalid vat number / tax id check E_TAX_ID :: The tax number failed the check with the registry. Remove blanks, add the country letters, or send tax_check=false.
            e-deprecated = E_DEPRECATED / E_DEPRECATED removed endpoint / old version E_DEPRECATED :: The endpoint was removed from this version of the API. The field error.successor gives the path to use in its place.
            e-body-size = E_BODY_SIZE / E_BODY_SIZE request too large / body too big E_BODY_SIZE :: The request is larger than 2 MB. Send fewer records in one batch and upload attachments on their own.
        """,
        asks="""
            {code}
            api returns {code}
            what does {code} mean
            {code} in response
            how to handle {code}
            request refused {code}
            getting {code} from the api
            my script stops with {code}
            {code} error fix
            why do i see {code}
            post fails, {code}
            api error {code} help
        """,
    ),
    family(
        "http-status",
        "{status} from the {resource} endpoint",
        [
            "[The status of an answer tells in short what went wrong.|Before reading the body, look at the status of the answer.]",
            "@status",
            "@cell",
            "@resource",
            "[The header Ledgerly-Request-Id belongs into every question to support.|The request log shows the last thirty days.]",
        ],
        cells="""
            http-400, invoices :: For invoices this is mostly a line without quantity or a due date before the issue date.
            http-400, customers :: For customers this is mostly a country written out in place of its two letters.
            http-400, payments :: For payments this is mostly a sum with decimals in place of whole cents.
            http-403, invoices :: For invoices the key needs the scope invoices:write, and issuing needs invoices:issue on top.
            http-403, customers :: For customers the key needs customers:read, and for bank data also customers:sensitive.
            http-403, payments :: For payments the key needs payments:write and an address on the allow list.
            http-409, invoices :: For invoices it means that the number was taken by another request at the same moment.
            http-409, customers :: For customers it means that the email belongs to another customer already.
            http-409, payments :: For payments it means that the invoice is being paid right now by other means.
            http-422, invoices :: For invoices it means that an issued document was to be edited, which is never allowed.
            http-422, customers :: For customers it means that the tax number does not fit the country.
            http-422, payments :: For payments it means that the sum is higher than what is still owed.
        """,
        status="""
            http-400 = HTTP 400 / 400 bad request / status 400 :: Status 400 means that the request could not be understood; sending it again unchanged will fail in the same way.
            http-403 = HTTP 403 / 403 forbidden / status 403 :: Status 403 means that the key is known but has no right to do this; look at its scopes.
            http-409 = HTTP 409 / 409 conflict / status 409 :: Status 409 means that the request collides with the present state; read the record again before the next try.
            http-422 = HTTP 422 / 422 unprocessable / status 422 :: Status 422 means that the request was well formed but breaks a business rule; a person should look at it.
        """,
        resource="""
            invoices = invoices / invoice / billing document :: The path is /v3/invoices, and up to 100 lines may be sent with one document.
            customers = customers / customer / client record :: The path is /v3/customers, and a record can be found again by your own reference.
            payments = payments / payment / charge :: The path is /v3/payments, and an idempotency key is required for each POST.
        """,
        asks="""
            {status} on {resource} endpoint
            {resource} api {status}
            why do i get {status} for {resource}
            {status} when posting {resource}
            api says {status}, {resource}
            {resource} request fails {status}
            {status} {resource}
            creating {resource} through the api gives {status}
            what causes {status} with {resource}
            meaning of {status} at the {resource} endpoint
            fix {status} for {resource} call
            my {resource} call returns {status} all the time
        """,
    ),
    family(
        "api-version",
        "Move {resource} from API {step}",
        [
            "[A new version of the API changes names and shapes, so plan the move.|The version of the API is sent in the header Ledgerly-Version.]",
            "@step",
            "@cell",
            "@resource",
            "[Try it in the sandbox first.|A key can be pinned to a version while you test.]",
        ],
        cells="""
            invoices, v1-v2 :: For invoices, bill_to became customer, and the list of positions is now called lines.
            invoices, v2-v3 :: For invoices, total became amount in cents, and the state sent was renamed open.
            invoices, v3-preview :: For invoices, the new field schedule replaces due_date, and several due dates are allowed.
            customers, v1-v2 :: For customers, name was parted into company and person, and phone became a list.
            customers, v2-v3 :: For customers, vat_id moved into the list tax_ids, and address has a country of two letters.
            customers, v3-preview :: For customers, group was replaced by tags, and merged records answer with a redirect.
            payments, v1-v2 :: For payments, paid_with became method, and cash is a method like the others.
            payments, v2-v3 :: For payments, fee is no longer in the record and has an endpoint of its own.
            payments, v3-preview :: For payments, a payment can belong to many invoices, so invoice became allocations.
            orders, v1-v2 :: For orders, items became lines, and the shop name is found below channel.
            orders, v2-v3 :: For orders, status was parted into payment_state and shipping_state.
            orders, v3-preview :: For orders, shipments are records of their own with their own ids.
        """,
        resource="""
            invoices / invoice calls / billing documents :: Ids of invoices stay the same, so your own tables need no change.
            customers / customer calls / client records :: Lists of customers come in pages of fifty by default, whatever the version.
            payments / payment calls / charges :: Code that handles payments should be tested with a refund as well.
            orders / order calls / sales orders :: Open orders made with the older version can be read with the newer one.
        """,
        step="""
            v1-v2 = version 1 to version 2 / v1 to v2 / the first version to v2 :: Version 1 was switched off for new keys in 2023 and ends for all on 31 December 2026.
            v2-v3 = version 2 to version 3 / v2 to v3 / v2 up to the current v3 :: Version 2 goes on until 30 June 2028, gets no new features and sends the header Deprecation.
            v3-preview = version 3 to the preview / v3 to v4 preview / v3 to the beta of version 4 :: The preview may change every month without notice and must not be used for live money.
        """,
        asks="""
            migrate {resource} from {step}
            {resource} api {step}
            what changed for {resource} from {step}
            breaking changes {resource} {step}
            upgrade {step}, {resource}
            we call {resource} and move from {step}
            renamed fields {resource} {step}
            how to port our {resource} code, {step}
            differences in {resource} from {step}
            {step}: {resource} migration guide
            moving {step} what about {resource}
            {step} {resource}
        """,
    ),
    family(
        "rate-limit",
        "Rate limit for {kind} on {plan}",
        [
            "[The API counts requests by key and refuses those above the limit with HTTP 429.|To stay fast for everybody, the API limits how many requests a key may send.]",
            "@cell",
            "@kind",
            "@plan",
            "[The header RateLimit-Remaining tells what is left.|Wait for the seconds in Retry-After before the next request.]",
        ],
        cells="""
            read, growth :: On Growth, read requests are limited to 120 a minute.
            read, business :: On Business, read requests are limited to 600 a minute.
            read, enterprise :: On Enterprise, read requests are limited to 3,000 a minute.
            write, growth :: On Growth, write requests are limited to 40 a minute.
            write, business :: On Business, write requests are limited to 200 a minute.
            write, enterprise :: On Enterprise, write requests are limited to 1,000 a minute.
            search, growth :: On Growth, search requests are limited to 10 a minute.
            search, business :: On Business, search requests are limited to 60 a minute.
            search, enterprise :: On Enterprise, search requests are limited to 300 a minute.
            bulk, growth :: On Growth, bulk requests are limited to 20 an hour.
            bulk, business :: On Business, bulk requests are limited to 150 an hour.
            bulk, enterprise :: On Enterprise, bulk requests are limited to 800 an hour.
        """,
        kind="""
            read = read requests / GET calls / reading data :: Reading counts one for each page of a list, and answers from the cache with status 304 are free.
            write = write requests / POST and PATCH calls / writing data :: Writing counts one for each record created or changed, and requests that were refused count as well.
            search = search requests / calls to the search endpoint / full text search over the api :: Searching is counted apart, because it is costly; an exact lookup by number counts as reading.
            bulk = bulk requests / batch calls / mass updates :: A bulk request may carry 500 records and counts as a single one, however many of them fail.
        """,
        plan="""
            growth = Growth / growth plan / growth subscription :: Growth has no burst, so spread the requests evenly over the time.
            business = Business / business plan / business tier :: Business may burst to twice the limit for ten seconds.
            enterprise = Enterprise / enterprise plan / enterprise contract :: Enterprise may burst to three times the limit, and a higher one can be agreed in the contract.
        """,
        asks="""
            rate limit {kind} {plan}
            how many {kind} per minute or hour on {plan}
            {plan} api limit for {kind}
            HTTP 429 on {kind}, we are on {plan}
            limit of {kind} with {plan}
            max {kind} allowed, {plan}
            throttled on {kind} {plan}
            what is our quota of {kind} with {plan}
            {plan}: too many {kind}
            does {plan} allow more {kind}
            api throttling for {kind} under {plan}
            requests blocked ({kind}), plan {plan}
        """,
    ),
    family(
        "api-key",
        "{action} {kind}",
        [
            "[Programs sign in to the API with a key in place of a password.|A key stands for your company, so treat it as you treat a password.]",
            "Go to Developers > Keys.",
            "@action",
            "@kind",
            "[The last use of each key is shown in the list.|Keys are never sent by email.|Every step is written to the audit log.]",
        ],
        action="""
            create = Create / generate / make a new / get :: Press New key and give it a name; the secret is shown once, and a copy cannot be had later.
            rotate = Rotate / renew / exchange / swap out :: Press Rotate beside the key; the old secret goes on working for the hours you choose, at most 72.
            revoke = Revoke / delete / kill / disable for good :: Press Revoke and type its name; requests with it fail within ten seconds, and this cannot be undone.
            restrict = Restrict by IP / limit to an ip address / lock to our server's ip of / bind to one address :: Press Edit and enter up to twenty addresses or ranges; requests from elsewhere get HTTP 403.
        """,
        kind="""
            read-only = a read-only key / key that can only read / a read key :: A read-only key begins with lgr_ and can fetch everything except bank data, yet change nothing.
            full = a full-access key / key with all rights / an admin key :: A full-access key begins with lgf_, needs an owner with two-factor sign-in, and ends after one year.
            publishable = a publishable key / public key for the browser / a client side key :: A publishable key begins with lgp_, may stand in a web page and can do no more than start a checkout.
            webhook = a webhook key / key for webhook management / a key that only manages endpoints :: A webhook key begins with lgw_ and can add, change and remove endpoints, but cannot see any record.
        """,
        asks="""
            {action} {kind}
            how do i {action} {kind}
            need to {action} {kind}
            where can i {action} {kind}
            {action} {kind} for the api
            can i {action} {kind} myself
            {kind}: {action}
            api - {action} {kind}
            our developer wants to {action} {kind}
            steps to {action} {kind}
            is it possible to {action} {kind}
            i have to {action} {kind} today
        """,
    ),
    family(
        "client-library",
        "{task} with the {language} library",
        [
            "[Client libraries save you from building requests by hand.|There is a library for each of the common languages.]",
            "@language",
            "@task",
            "[The library repeats requests that failed for network reasons.|Set the key through the environment, not in the code.|Types are made from the same schema as the documentation.]",
        ],
        language="""
            python = Python / a python script / pip package :: For Python, run pip install ledgerly; version 3.9 or newer is needed, and an asynchronous client is part of it.
            node = Node.js / javascript / typescript on the server / the npm package :: For Node.js, run npm install @ledgerly/node; types are included, and every call returns a promise.
            php = PHP / the composer package / php app :: For PHP, run composer require ledgerly/ledgerly; version 8.1 or newer with curl is needed.
            java = Java / maven dependency / kotlin or java backend :: For Java, add com.ledgerly:ledgerly-java to Maven or Gradle; it runs on version 11 and newer, on Android too.
        """,
        task="""
            create-invoice = Create an invoice / write a new invoice / make a bill :: Call create on invoices with customer and lines; the result is a draft, and a second call, issue, gives it a number.
            list-payments = List payments / fetch all payments / loop over payments :: Call list on payments with a date range; the iterator fetches page after page, a hundred records each.
            verify-webhook = Verify a webhook / check a webhook signature / validate incoming hooks :: Call verify on webhooks with raw body, header and secret; it raises an error if the time is off by five minutes.
            handle-errors = Handle errors / catch api exceptions / deal with failed calls :: Catch the class ApiError; its members code, status and request_id hold what the answer said.
        """,
        asks="""
            {task} with {language}
            how do i {task} in {language}
            {language} example: {task}
            {task} {language}
            code to {task} using {language}
            ledgerly {language} {task}
            want to {task} from {language}
            sample for {language}, {task}
            is there a {language} way to {task}
            {language} library, {task}
            need to {task}, we use {language}
            sdk {language} - {task}
        """,
    ),
]
