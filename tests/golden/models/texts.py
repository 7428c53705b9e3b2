"""The texts behind the small models: what their tokenizers are trained on, and the pairs that are scored."""

TRAINING = [
    # English
    "To export an invoice, open the invoice and choose Download from the menu in the upper corner.",
    "You can download every invoice of a month as one file, or send it to your accountant by mail.",
    "The administrator of a workspace can invite new members and change the role of a member.",
    "A reranker reads a query and a document together and gives the pair a score.",
    "The score says how well the document answers the query; a higher score is better.",
    "When the text is too long, the end of the document is cut and the query is kept.",
    "Reset the password on the sign-in page, then check the mailbox for a message with a link.",
    "The river rises in the mountains, crosses the old town and reaches the sea after two days.",
    "She planted apples, pears and cherries behind the house, and the birds ate the cherries.",
    "How do I change the language of the page? Which plan includes more than 10 users?",
    "The train to the coast leaves at 7:45 from platform 3 and arrives before noon.",
    "Error 404 means that the server could not find the page; error 500 means that the server failed.",
    # German
    "Um eine Rechnung herunterzuladen, öffnen Sie die Rechnung und wählen Sie Herunterladen im Menü.",
    "Die Verwaltung kann neue Mitglieder einladen und die Rolle eines Mitglieds ändern.",
    "Der Fluss entspringt in den Bergen, fließt durch die alte Stadt und erreicht das Meer.",
    "Wie kann ich die Sprache der Seite ändern und mein Passwort zurücksetzen?",
    "Der Zug an die Küste fährt um 7:45 Uhr von Gleis 3 und kommt vor dem Mittag an.",
    "Hinter dem Haus wachsen Äpfel, Birnen und Kirschen, doch die Vögel fressen die Kirschen.",
    # Chinese
    "要下载发票，请打开发票，然后在菜单中选择下载。",
    "管理员可以邀请新成员，也可以更改成员的角色。",
    "这条河从山里流出，穿过老城，两天后到达大海。",
    "怎样更改页面的语言？怎样重置密码？",
    "火车七点四十五分从三号站台出发，中午以前到达海边。",
    # Arabic
    "لتنزيل الفاتورة افتح الفاتورة ثم اختر تنزيل من القائمة.",
    "يمكن للمدير دعوة أعضاء جدد وتغيير دور العضو.",
    "ينبع النهر من الجبال ويمر بالمدينة القديمة ثم يصل إلى البحر.",
    "كيف أغير لغة الصفحة وكيف أعيد تعيين كلمة المرور؟",
    # Hindi
    "चालान डाउनलोड करने के लिए चालान खोलें और मेनू में डाउनलोड चुनें।",
    "व्यवस्थापक नए सदस्यों को बुला सकता है और सदस्य की भूमिका बदल सकता है।",
    "नदी पहाड़ों से निकलती है, पुराने शहर से होकर समुद्र तक पहुँचती है।",
    "पृष्ठ की भाषा कैसे बदलें और पासवर्ड कैसे रीसेट करें?",
    # emoji and signs
    "Great work 🎉🎉 thank you 👍 see you on the beach 🏖️ ☀️ 🌊",
    "👩‍💻 writes code, 🚀 ships it; 5 € + 3 £ = ? (no answer) — “quoted” … #1 @home 50%",
]

_RIVER = "The river rises in the mountains, crosses the old town and reaches the sea after two days."
_FLUSS = "Der Fluss entspringt in den Bergen, fließt durch die alte Stadt und erreicht das Meer."
_FILLER = "Behind the house she planted apples, pears and cherries, and the birds ate them all."

_LONG_DOCUMENT = " ".join([_RIVER, _FILLER, _FLUSS, "The train leaves at 7:45 from platform 3."])
_LONG_QUERY = "how do I " + "change the language of the page and then reset the password and " * 5 + "leave"

LONGEST, DOCUMENT = "longest-first", "document-only"

# (query, document, max_length, truncation). The tokenizers are small, so 64 tokens are soon reached.
PAIRS = [
    # ordinary
    ("export an invoice", "Open the invoice and choose Download.", 64, LONGEST),
    ("export an invoice", "The train leaves at 7:45.", 64, LONGEST),
    ("who can invite members?", "The administrator can invite new members.", 64, LONGEST),
    ("reset password", "Check the mailbox for a message with a link.", 64, DOCUMENT),
    ("river", "The birds ate the cherries.", 64, DOCUMENT),
    # one token on either side or both
    ("a", "a", 64, LONGEST),
    ("a", "The score says how well the document answers the query.", 64, LONGEST),
    ("Which plan includes more than 10 users?", "a", 64, DOCUMENT),
    # over-long, in both modes: the document, the query, both
    ("where does the river go?", _LONG_DOCUMENT, 64, LONGEST),
    ("where does the river go?", _LONG_DOCUMENT, 64, DOCUMENT),
    (_LONG_QUERY, "Reset the password on the sign-in page.", 64, LONGEST),
    (_LONG_QUERY, "Reset the password on the sign-in page.", 64, DOCUMENT),
    (_LONG_QUERY, _LONG_DOCUMENT, 64, LONGEST),
    (_LONG_QUERY, _LONG_DOCUMENT, 64, DOCUMENT),
    (_LONG_QUERY, _LONG_DOCUMENT, 31, LONGEST),
    (_LONG_QUERY, _LONG_DOCUMENT, 31, DOCUMENT),
    ("apples and pears", _LONG_DOCUMENT, 20, LONGEST),
    ("apples and pears", _LONG_DOCUMENT, 33, DOCUMENT),
    # other scripts
    ("怎样重置密码？", "管理员可以更改成员的角色。", 64, LONGEST),
    ("كيف أغير لغة الصفحة؟", "ينبع النهر من الجبال ثم يصل إلى البحر.", 64, LONGEST),
    ("भाषा कैसे बदलें?", "नदी पहाड़ों से निकलती है।", 64, LONGEST),
    ("Wie ändere ich die Sprache?", "Die Vögel fressen die Kirschen.", 64, DOCUMENT),
    ("怎样下载发票", "لتنزيل الفاتورة افتح الفاتورة ثم اختر تنزيل من القائمة. " * 3, 48, LONGEST),
    # letters no tokenizer here has seen, compatibility forms, a combining accent, odd white space
    ("Ποιος ήρθε;", "Кто пришёл сегодня?", 64, LONGEST),
    ("ﬁle №５ Ａ", "cafe\u0301  two   spaces\tand a tab", 64, LONGEST),
    # emoji, one of them joined from several code points
    ("🎉", "👩‍💻 🚀 👍 thank you ☀️", 64, LONGEST),
    ("great work 👍", "🦄🦄🦄", 64, DOCUMENT),
    # nothing at all
    ("export an invoice", "", 64, LONGEST),
    ("", "Open the invoice and choose Download.", 64, LONGEST),
    ("", "", 64, LONGEST),
    ("", _LONG_DOCUMENT, 64, DOCUMENT),
    (_LONG_QUERY, "", 64, LONGEST),
]
