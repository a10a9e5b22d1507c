"""Made-up comments on the blog's articles in Arabic and Japanese."""

from __future__ import annotations

from commentsvc.demo.conversation import AUTHOR, DemoComment

ARABIC = (
    DemoComment(
        "ليلى",
        29,
        "في بيتنا كان الكأس الثالث هو الذي تُقال فيه الأشياء المهمة. الأول للتحية، والثاني للأخبار، "
        "والثالث **للحقيقة**.\n\nما زلت أصبّه لنفسي حين أكون وحدي.",
    ),
    DemoComment(
        "Jonas", 27.5, "I had this translated by a friend, and we talked until our tea was cold.", to="ليلى"
    ),
    DemoComment("ليلى", 26.8, "سلّم على صديقك يا Jonas. هذا أجمل ما يمكن أن يحدث لكأس شاي!", to="Jonas"),
    DemoComment(
        "ناصر",
        22,
        "> وحين تذكّرته كان قد برد.\n\nأنا مبرمج، وعندي حلّ لكل شيء، حتى لهذا:\n\n"
        "```python\nwhile tea.temperature > 45:\n    time.sleep(60)  # اشربه الآن\n```\n\n"
        "لم ينفع. أنسى أن أشغّله (الإصدار 2.0 قريبًا).",
    ),
    DemoComment(AUTHOR, 21, "شكرًا لكم. سأكتب من الآن وصاعدًا والكأس بعيد عن لوحة المفاتيح.", to="ناصر"),
    DemoComment(
        "هدى",
        3.2,
        "هل جرّبتم النعناع المجفّف؟ جدّتي كانت تقول:\n\n1. ماء يغلي،\n2. خمس دقائق من الصبر،\n3. ولا تسأل عن السكر.",
    ),
)

JAPANESE = (
    DemoComment(
        "さくら",
        33,
        "高校の三年間、毎日のように通いました。立ち読みばかりで、ほとんど買わなかったのに、店のおじさんは一度も怒りませんでした。\n\n"
        "先週、二十年ぶりに一冊買いました。**遅すぎましたね。**",
    ),
    DemoComment("健太", 31, "遅すぎないと思います。おじさん、覚えていましたよ。", to="さくら"),
    DemoComment("さくら", 30.4, "えっ、本当ですか?", to="健太"),
    DemoComment("健太", 30.1, "「立ち読みの子が買ってくれた」と、うれしそうでした。", to="さくら"),
    DemoComment(AUTHOR, 28, "この話を読めただけで、書いてよかったです。ありがとうございます。", to="健太"),
    DemoComment(
        "ミナ",
        5,
        "閉店の日は 18:00 まで開いているそうです。行かれる方は:\n\n- 駅の北口から徒歩 3 分\n"
        "- 大きな荷物は置いていってください、通路がとても狭いので",
    ),
)
