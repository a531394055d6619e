"""Tables of the English tokenizer of spaCy 3.8.18, which `words: spacy` follows. Made by tests/spacy_tables.py; not for editing.

Character classes (\\w, \\d and punctuation: of Unicode 14.0.0) as hexadecimal ranges, what is split from a number before it,
and special cases with `·` between their tokens.

From spaCy (https://github.com/explosion/spaCy), under the MIT licence: Copyright (C) 2016-2024 ExplosionAI GmbH, 2016
spaCy GmbH, 2015 Matthew Honnibal. Permission is hereby granted, free of charge, to any person obtaining a copy of this
software and associated documentation files (the "Software"), to deal in the Software without restriction, including
without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the
Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions: The above
copyright notice and this permission notice shall be included in all copies or substantial portions of the Software. THE
SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES
OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS
BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT
OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""

VERSION = "3.8.18"
CUT = "·"
CLASSES = {
    "alpha": """
41-5a 61-7a c0-d6 d8-f6 f8-1bf 1c4-2af 386 388-38a 38c 38e-38f 391-3a9 3ac-3af 3b1-3c9 3cc-3ce 400-401 403-40a 40c-40d 410-451
453-45a 45c-45d 490-491 496-497 4a2-4a3 4ae-4af 4ba-4bb 4d8-4d9 4e8-4e9 591-5f4 620-64a 66e-6d5 6e5-6ff 750-77f 8a0-8bd 900-9ff
b80-cff d80-dff 1100-137f 1d00-1d25 1d6b-1d77 1d79-1d9a 1e00-1eff 2c60-2c7b 2c7e-2c7f 2e80-2fdf 2ff0-30ff 31c0-31ef 3200-4dbf
4e00-9fff a722-a76f a771-a787 a78b-a78e a790-a7b9 a7fa ab30-ab5a ab60-ab64 ac00-d7af f900-faff fb1d-fbb1 fbd3-fd3d fd50-fdc7
fdf0-fdfb fe30-fe4f fe70-fefc ff21-ff3a ff41-ff5a 1ee00-1eebb 1f200-1f2ff 20000-2a6df 2a700-2ebef 2f800-2fa1f
""",
    "lower": """
61-7a df-f6 f8-ff 101 103 105 107 109 10b 10d 10f 111 113 115 117 119 11b 11d 11f 121 123 125 127 129 12b 12d 12f 131 133 135
137-138 13a 13c 13e 140 142 144 146 148-149 14b 14d 14f 151 153 155 157 159 15b 15d 15f 161 163 165 167 169 16b 16d 16f 171 173
175 177 17a 17c 17e-180 183 185 188 18c-18d 192 195 199-19b 19e 1a1 1a3 1a5 1a8 1aa-1ab 1ad 1b0 1b4 1b6 1b9-1ba 1bd-1bf 1c6 1c9
1cc 1ce 1d0 1d2 1d4 1d6 1d8 1da 1dc-1dd 1df 1e1 1e3 1e5 1e7 1e9 1eb 1ed 1ef-1f0 1f3 1f5 1f9 1fb 1fd 1ff 201 203 205 207 209 20b
20d 20f 211 213 215 217 219 21b 21d 21f 221 223 225 227 229 22b 22d 22f 231 233-239 23c 23f-240 242 247 249 24b 24d 24f-2af
3ac-3af 3b1-3c9 3cc-3ce 430-451 453-45a 45c-45d 491 497 4a3 4af 4bb 4d9 4e9 591-5f4 620-64a 66e-6d5 6e5-6ff 750-77f 8a0-8bd
900-9ff b80-cff d80-dff 1100-137f 1d00-1d25 1d6b-1d77 1d79-1d9a 1e01 1e03 1e05 1e07 1e09 1e0b 1e0d 1e0f 1e11 1e13 1e15 1e17 1e19
1e1b 1e1d 1e1f 1e21 1e23 1e25 1e27 1e29 1e2b 1e2d 1e2f 1e31 1e33 1e35 1e37 1e39 1e3b 1e3d 1e3f 1e41 1e43 1e45 1e47 1e49 1e4b 1e4d
1e4f 1e51 1e53 1e55 1e57 1e59 1e5b 1e5d 1e5f 1e61 1e63 1e65 1e67 1e69 1e6b 1e6d 1e6f 1e71 1e73 1e75 1e77 1e79 1e7b 1e7d 1e7f 1e81
1e83 1e85 1e87 1e89 1e8b 1e8d 1e8f 1e91 1e93 1e95-1e9d 1e9f 1ea1 1ea3 1ea5 1ea7 1ea9 1eab 1ead 1eaf 1eb1 1eb3 1eb5 1eb7 1eb9 1ebb
1ebd 1ebf 1ec1 1ec3 1ec5 1ec7 1ec9 1ecb 1ecd 1ecf 1ed1 1ed3 1ed5 1ed7 1ed9 1edb 1edd 1edf 1ee1 1ee3 1ee5 1ee7 1ee9 1eeb 1eed 1eef
1ef1 1ef3 1ef5 1ef7 1ef9 1efb 1efd 1eff 2c61 2c65-2c66 2c68 2c6a 2c6c 2c71 2c73-2c74 2c76-2c7b 2e80-2fdf 2ff0-30ff 31c0-31ef
3200-4dbf 4e00-9fff a723 a725 a727 a729 a72b a72d a72f-a731 a733 a735 a737 a739 a73b a73d a73f a741 a743 a745 a747 a749 a74b a74d
a74f a751 a753 a755 a757 a759 a75b a75d a75f a761 a763 a765 a767 a769 a76b a76d a76f a771-a778 a77a a77c a77f a781 a783 a785 a787
a78c a78e a791 a793-a795 a797 a799 a79b a79d a79f a7a1 a7a3 a7a5 a7a7 a7a9 a7af a7b5 a7b7 a7b9 a7fa ab30-ab5a ab60-ab64 ac00-d7af
f900-faff fb1d-fbb1 fbd3-fd3d fd50-fdc7 fdf0-fdfb fe30-fe4f fe70-fefc ff41-ff5a 1ee00-1eebb 1f200-1f2ff 20000-2a6df 2a700-2ebef
2f800-2fa1f
""",
    "upper": """
41-5a c0-d6 d8-de 100 102 104 106 108 10a 10c 10e 110 112 114 116 118 11a 11c 11e 120 122 124 126 128 12a 12c 12e 130 132 134 136
139 13b 13d 13f 141 143 145 147 14a 14c 14e 150 152 154 156 158 15a 15c 15e 160 162 164 166 168 16a 16c 16e 170 172 174 176
178-179 17b 17d 181-182 184 186-187 189-18b 18e-191 193-194 196-198 19c-19d 19f-1a0 1a2 1a4 1a6-1a7 1a9 1ac 1ae-1af 1b1-1b3 1b5
1b7-1b8 1bc 1c4 1c7 1ca 1cd 1cf 1d1 1d3 1d5 1d7 1d9 1db 1de 1e0 1e2 1e4 1e6 1e8 1ea 1ec 1ee 1f1 1f4 1f6-1f8 1fa 1fc 1fe 200 202
204 206 208 20a 20c 20e 210 212 214 216 218 21a 21c 21e 220 222 224 226 228 22a 22c 22e 230 232 23a-23b 23d-23e 241 243-246 248
24a 24c 24e 386 388-38a 38c 38e-38f 391-3a9 400-401 403-40a 40c-40d 410-42f 490 496 4a2 4ae 4ba 4d8 4e8 591-5f4 620-64a 66e-6d5
6e5-6ff 750-77f 8a0-8bd 900-9ff b80-cff d80-dff 1100-137f 1e00 1e02 1e04 1e06 1e08 1e0a 1e0c 1e0e 1e10 1e12 1e14 1e16 1e18 1e1a
1e1c 1e1e 1e20 1e22 1e24 1e26 1e28 1e2a 1e2c 1e2e 1e30 1e32 1e34 1e36 1e38 1e3a 1e3c 1e3e 1e40 1e42 1e44 1e46 1e48 1e4a 1e4c 1e4e
1e50 1e52 1e54 1e56 1e58 1e5a 1e5c 1e5e 1e60 1e62 1e64 1e66 1e68 1e6a 1e6c 1e6e 1e70 1e72 1e74 1e76 1e78 1e7a 1e7c 1e7e 1e80 1e82
1e84 1e86 1e88 1e8a 1e8c 1e8e 1e90 1e92 1e94 1e9e 1ea0 1ea2 1ea4 1ea6 1ea8 1eaa 1eac 1eae 1eb0 1eb2 1eb4 1eb6 1eb8 1eba 1ebc 1ebe
1ec0 1ec2 1ec4 1ec6 1ec8 1eca 1ecc 1ece 1ed0 1ed2 1ed4 1ed6 1ed8 1eda 1edc 1ede 1ee0 1ee2 1ee4 1ee6 1ee8 1eea 1eec 1eee 1ef0 1ef2
1ef4 1ef6 1ef8 1efa 1efc 1efe 2c60 2c62-2c64 2c67 2c69 2c6b 2c6d-2c70 2c72 2c75 2c7e-2c7f 2e80-2fdf 2ff0-30ff 31c0-31ef 3200-4dbf
4e00-9fff a722 a724 a726 a728 a72a a72c a72e a732 a734 a736 a738 a73a a73c a73e a740 a742 a744 a746 a748 a74a a74c a74e a750 a752
a754 a756 a758 a75a a75c a75e a760 a762 a764 a766 a768 a76a a76c a76e a779 a77b a77d-a77e a780 a782 a784 a786 a78b a78d a790 a792
a796 a798 a79a a79c a79e a7a0 a7a2 a7a4 a7a6 a7a8 a7aa-a7ae a7b0-a7b4 a7b6 a7b8 ac00-d7af f900-faff fb1d-fbb1 fbd3-fd3d fd50-fdc7
fdf0-fdfb fe30-fe4f fe70-fefc ff21-ff3a 1ee00-1eebb 1f200-1f2ff 20000-2a6df 2a700-2ebef 2f800-2fa1f
""",
    "before_stop": """
21-23 25-2d 30-3c 3e-3f 5b 5d 5f-7d a1 ab b2 b4 b7 bb bf df-f6 f8-ff 101 103 105 107 109 10b 10d 10f 111 113 115 117 119 11b 11d
11f 121 123 125 127 129 12b 12d 12f 131 133 135 137-138 13a 13c 13e 140 142 144 146 148-149 14b 14d 14f 151 153 155 157 159 15b
15d 15f 161 163 165 167 169 16b 16d 16f 171 173 175 177 17a 17c 17e-180 183 185 188 18c-18d 192 195 199-19b 19e 1a1 1a3 1a5 1a8
1aa-1ab 1ad 1b0 1b4 1b6 1b9-1ba 1bd-1bf 1c6 1c9 1cc 1ce 1d0 1d2 1d4 1d6 1d8 1da 1dc-1dd 1df 1e1 1e3 1e5 1e7 1e9 1eb 1ed 1ef-1f0
1f3 1f5 1f9 1fb 1fd 1ff 201 203 205 207 209 20b 20d 20f 211 213 215 217 219 21b 21d 21f 221 223 225 227 229 22b 22d 22f 231
233-239 23c 23f-240 242 247 249 24b 24d 24f-2af 3ac-3af 3b1-3c9 3cc-3ce 430-451 453-45a 45c-45d 491 497 4a3 4af 4bb 4d9 4e9
591-5f4 60c 61b 61f-64a 66a 66e-6d5 6e5-6ff 750-77f 8a0-8bd 900-9ff b80-cff d80-dff 1100-137f 1d00-1d25 1d6b-1d77 1d79-1d9a 1e01
1e03 1e05 1e07 1e09 1e0b 1e0d 1e0f 1e11 1e13 1e15 1e17 1e19 1e1b 1e1d 1e1f 1e21 1e23 1e25 1e27 1e29 1e2b 1e2d 1e2f 1e31 1e33 1e35
1e37 1e39 1e3b 1e3d 1e3f 1e41 1e43 1e45 1e47 1e49 1e4b 1e4d 1e4f 1e51 1e53 1e55 1e57 1e59 1e5b 1e5d 1e5f 1e61 1e63 1e65 1e67 1e69
1e6b 1e6d 1e6f 1e71 1e73 1e75 1e77 1e79 1e7b 1e7d 1e7f 1e81 1e83 1e85 1e87 1e89 1e8b 1e8d 1e8f 1e91 1e93 1e95-1e9d 1e9f 1ea1 1ea3
1ea5 1ea7 1ea9 1eab 1ead 1eaf 1eb1 1eb3 1eb5 1eb7 1eb9 1ebb 1ebd 1ebf 1ec1 1ec3 1ec5 1ec7 1ec9 1ecb 1ecd 1ecf 1ed1 1ed3 1ed5 1ed7
1ed9 1edb 1edd 1edf 1ee1 1ee3 1ee5 1ee7 1ee9 1eeb 1eed 1eef 1ef1 1ef3 1ef5 1ef7 1ef9 1efb 1efd 1eff 2018-201a 201c-201e 2026
2329-232a 27e6-27e7 2c61 2c65-2c66 2c68 2c6a 2c6c 2c71 2c73-2c74 2c76-2c7b 2e80-2fdf 2ff0-30ff 31c0-31ef 3200-4dbf 4e00-9fff a723
a725 a727 a729 a72b a72d a72f-a731 a733 a735 a737 a739 a73b a73d a73f a741 a743 a745 a747 a749 a74b a74d a74f a751 a753 a755 a757
a759 a75b a75d a75f a761 a763 a765 a767 a769 a76b a76d a76f a771-a778 a77a a77c a77f a781 a783 a785 a787 a78c a78e a791 a793-a795
a797 a799 a79b a79d a79f a7a1 a7a3 a7a5 a7a7 a7a9 a7af a7b5 a7b7 a7b9 a7fa ab30-ab5a ab60-ab64 ac00-d7af f900-faff fb1d-fbb1
fbd3-fd3d fd50-fdc7 fdf0-fdfb fe30-fe4f fe70-fefc ff01 ff08-ff09 ff0c ff1a-ff1b ff1f ff41-ff5a ff5e 1ee00-1eebb 1f200-1f2ff
20000-2a6df 2a700-2ebef 2f800-2fa1f
""",
    "before_dot": """
22 27 2c 60-7a ab b4 bb df-f6 f8-ff 101 103 105 107 109 10b 10d 10f 111 113 115 117 119 11b 11d 11f 121 123 125 127 129 12b 12d
12f 131 133 135 137-138 13a 13c 13e 140 142 144 146 148-149 14b 14d 14f 151 153 155 157 159 15b 15d 15f 161 163 165 167 169 16b
16d 16f 171 173 175 177 17a 17c 17e-180 183 185 188 18c-18d 192 195 199-19b 19e 1a1 1a3 1a5 1a8 1aa-1ab 1ad 1b0 1b4 1b6 1b9-1ba
1bd-1bf 1c6 1c9 1cc 1ce 1d0 1d2 1d4 1d6 1d8 1da 1dc-1dd 1df 1e1 1e3 1e5 1e7 1e9 1eb 1ed 1ef-1f0 1f3 1f5 1f9 1fb 1fd 1ff 201 203
205 207 209 20b 20d 20f 211 213 215 217 219 21b 21d 21f 221 223 225 227 229 22b 22d 22f 231 233-239 23c 23f-240 242 247 249 24b
24d 24f-2af 3ac-3af 3b1-3c9 3cc-3ce 430-451 453-45a 45c-45d 491 497 4a3 4af 4bb 4d9 4e9 591-5f4 620-64a 66e-6d5 6e5-6ff 750-77f
8a0-8bd 900-9ff b80-cff d80-dff 1100-137f 1d00-1d25 1d6b-1d77 1d79-1d9a 1e01 1e03 1e05 1e07 1e09 1e0b 1e0d 1e0f 1e11 1e13 1e15
1e17 1e19 1e1b 1e1d 1e1f 1e21 1e23 1e25 1e27 1e29 1e2b 1e2d 1e2f 1e31 1e33 1e35 1e37 1e39 1e3b 1e3d 1e3f 1e41 1e43 1e45 1e47 1e49
1e4b 1e4d 1e4f 1e51 1e53 1e55 1e57 1e59 1e5b 1e5d 1e5f 1e61 1e63 1e65 1e67 1e69 1e6b 1e6d 1e6f 1e71 1e73 1e75 1e77 1e79 1e7b 1e7d
1e7f 1e81 1e83 1e85 1e87 1e89 1e8b 1e8d 1e8f 1e91 1e93 1e95-1e9d 1e9f 1ea1 1ea3 1ea5 1ea7 1ea9 1eab 1ead 1eaf 1eb1 1eb3 1eb5 1eb7
1eb9 1ebb 1ebd 1ebf 1ec1 1ec3 1ec5 1ec7 1ec9 1ecb 1ecd 1ecf 1ed1 1ed3 1ed5 1ed7 1ed9 1edb 1edd 1edf 1ee1 1ee3 1ee5 1ee7 1ee9 1eeb
1eed 1eef 1ef1 1ef3 1ef5 1ef7 1ef9 1efb 1efd 1eff 2018-201a 201c-201e 2329-232a 27e6-27e7 2c61 2c65-2c66 2c68 2c6a 2c6c 2c71
2c73-2c74 2c76-2c7b 2e80-2fdf 2ff0-30ff 31c0-31ef 3200-4dbf 4e00-9fff a723 a725 a727 a729 a72b a72d a72f-a731 a733 a735 a737 a739
a73b a73d a73f a741 a743 a745 a747 a749 a74b a74d a74f a751 a753 a755 a757 a759 a75b a75d a75f a761 a763 a765 a767 a769 a76b a76d
a76f a771-a778 a77a a77c a77f a781 a783 a785 a787 a78c a78e a791 a793-a795 a797 a799 a79b a79d a79f a7a1 a7a3 a7a5 a7a7 a7a9 a7af
a7b5 a7b7 a7b9 a7fa ab30-ab5a ab60-ab64 ac00-d7af f900-faff fb1d-fbb1 fbd3-fd3d fd50-fdc7 fdf0-fdfb fe30-fe4f fe70-fefc ff08-ff09
ff41-ff5a 1ee00-1eebb 1f200-1f2ff 20000-2a6df 2a700-2ebef 2f800-2fa1f
""",
    "after_dot": """
22 27 2c 41-5a 60 ab b4 bb c0-d6 d8-de 100 102 104 106 108 10a 10c 10e 110 112 114 116 118 11a 11c 11e 120 122 124 126 128 12a 12c
12e 130 132 134 136 139 13b 13d 13f 141 143 145 147 14a 14c 14e 150 152 154 156 158 15a 15c 15e 160 162 164 166 168 16a 16c 16e
170 172 174 176 178-179 17b 17d 181-182 184 186-187 189-18b 18e-191 193-194 196-198 19c-19d 19f-1a0 1a2 1a4 1a6-1a7 1a9 1ac
1ae-1af 1b1-1b3 1b5 1b7-1b8 1bc 1c4 1c7 1ca 1cd 1cf 1d1 1d3 1d5 1d7 1d9 1db 1de 1e0 1e2 1e4 1e6 1e8 1ea 1ec 1ee 1f1 1f4 1f6-1f8
1fa 1fc 1fe 200 202 204 206 208 20a 20c 20e 210 212 214 216 218 21a 21c 21e 220 222 224 226 228 22a 22c 22e 230 232 23a-23b
23d-23e 241 243-246 248 24a 24c 24e 386 388-38a 38c 38e-38f 391-3a9 400-401 403-40a 40c-40d 410-42f 490 496 4a2 4ae 4ba 4d8 4e8
591-5f4 620-64a 66e-6d5 6e5-6ff 750-77f 8a0-8bd 900-9ff b80-cff d80-dff 1100-137f 1e00 1e02 1e04 1e06 1e08 1e0a 1e0c 1e0e 1e10
1e12 1e14 1e16 1e18 1e1a 1e1c 1e1e 1e20 1e22 1e24 1e26 1e28 1e2a 1e2c 1e2e 1e30 1e32 1e34 1e36 1e38 1e3a 1e3c 1e3e 1e40 1e42 1e44
1e46 1e48 1e4a 1e4c 1e4e 1e50 1e52 1e54 1e56 1e58 1e5a 1e5c 1e5e 1e60 1e62 1e64 1e66 1e68 1e6a 1e6c 1e6e 1e70 1e72 1e74 1e76 1e78
1e7a 1e7c 1e7e 1e80 1e82 1e84 1e86 1e88 1e8a 1e8c 1e8e 1e90 1e92 1e94 1e9e 1ea0 1ea2 1ea4 1ea6 1ea8 1eaa 1eac 1eae 1eb0 1eb2 1eb4
1eb6 1eb8 1eba 1ebc 1ebe 1ec0 1ec2 1ec4 1ec6 1ec8 1eca 1ecc 1ece 1ed0 1ed2 1ed4 1ed6 1ed8 1eda 1edc 1ede 1ee0 1ee2 1ee4 1ee6 1ee8
1eea 1eec 1eee 1ef0 1ef2 1ef4 1ef6 1ef8 1efa 1efc 1efe 2018-201a 201c-201e 2329-232a 27e6-27e7 2c60 2c62-2c64 2c67 2c69 2c6b
2c6d-2c70 2c72 2c75 2c7e-2c7f 2e80-2fdf 2ff0-30ff 31c0-31ef 3200-4dbf 4e00-9fff a722 a724 a726 a728 a72a a72c a72e a732 a734 a736
a738 a73a a73c a73e a740 a742 a744 a746 a748 a74a a74c a74e a750 a752 a754 a756 a758 a75a a75c a75e a760 a762 a764 a766 a768 a76a
a76c a76e a779 a77b a77d-a77e a780 a782 a784 a786 a78b a78d a790 a792 a796 a798 a79a a79c a79e a7a0 a7a2 a7a4 a7a6 a7a8 a7aa-a7ae
a7b0-a7b4 a7b6 a7b8 ac00-d7af f900-faff fb1d-fbb1 fbd3-fd3d fd50-fdc7 fdf0-fdfb fe30-fe4f fe70-fefc ff08-ff09 ff21-ff3a
1ee00-1eebb 1f200-1f2ff 20000-2a6df 2a700-2ebef 2f800-2fa1f
""",
    "icon": """
a6 a9 ae b0 482 58d-58e 60e-60f 6de 6e9 6fd-6fe 7f6 9fa b70 bf3-bf8 bfa c7f d4f d79 f01-f03 f13 f15-f17 f1a-f1f f34 f36 f38
fbe-fc5 fc7-fcc fce-fcf fd5-fd8 109e-109f 1390-1399 1940 19de-19ff 1b61-1b6a 1b74-1b7c 2026 2100-2101 2103-2106 2108-2109 2114
2116-2117 211e-2123 2125 2127 2129 212e 213a-213b 214a 214c-214d 214f 218a-218b 2195-2199 219c-219f 21a1-21a2 21a4-21a5 21a7-21ad
21af-21cd 21d0-21d1 21d3 21d5-21f3 2300-2307 230c-231f 2322-2328 232b-237b 237d-239a 23b4-23db 23e2-2426 2440-244a 249c-24e9
2500-25b6 25b8-25c0 25c2-25f7 2600-266e 2670-2767 2794-27bf 2800-28ff 2b00-2b2f 2b45-2b46 2b4d-2b73 2b76-2b95 2b98-2bc8 2bca-2bfe
2ce5-2cea 2e80-2e99 2e9b-2ef3 2f00-2fd5 2ff0-2ffb 3004 3012-3013 3020 3036-3037 303e-303f 3190-3191 3196-319f 31c0-31e3 3200-321e
322a-3247 3250 3260-327f 328a-32b0 32c0-32fe 3300-33ff 4dc0-4dff a490-a4c6 a828-a82b a836-a837 a839 aa77-aa79 fdfd ffe4 ffe8
ffed-ffee fffc-fffd 10137-1013f 10179-10189 1018c-1018e 10190-1019b 101a0 101d0-101fc 10877-10878 10ac8 1173f 16b3c-16b3f 16b45
1bc9c 1d000-1d0f5 1d100-1d126 1d129-1d164 1d16a-1d16c 1d183-1d184 1d18c-1d1a9 1d1ae-1d1e8 1d200-1d241 1d245 1d300-1d356
1d800-1d9ff 1da37-1da3a 1da6d-1da74 1da76-1da83 1da85-1da86 1ecac 1f000-1f02b 1f030-1f093 1f0a0-1f0ae 1f0b1-1f0bf 1f0c1-1f0cf
1f0d1-1f0f5 1f110-1f16b 1f170-1f1ac 1f1e6-1f202 1f210-1f23b 1f240-1f248 1f250-1f251 1f260-1f265 1f300-1f3fa 1f400-1f6d4
1f6e0-1f6ec 1f6f0-1f6f9 1f700-1f773 1f780-1f7d8 1f800-1f80b 1f810-1f847 1f850-1f859 1f860-1f887 1f890-1f8ad 1f900-1f90b
1f910-1f93e 1f940-1f970 1f973-1f976 1f97a 1f97c-1f9a2 1f9b0-1f9b9 1f9c0-1f9c2 1f9d0-1f9ff 1fa60-1fa6d
""",
    "word": """
30-39 41-5a 5f 61-7a aa b2-b3 b5 b9-ba bc-be c0-d6 d8-f6 f8-2c1 2c6-2d1 2e0-2e4 2ec 2ee 370-374 376-377 37a-37d 37f 386 388-38a
38c 38e-3a1 3a3-3f5 3f7-481 48a-52f 531-556 559 560-588 5d0-5ea 5ef-5f2 620-64a 660-669 66e-66f 671-6d3 6d5 6e5-6e6 6ee-6fc 6ff
710 712-72f 74d-7a5 7b1 7c0-7ea 7f4-7f5 7fa 800-815 81a 824 828 840-858 860-86a 870-887 889-88e 8a0-8c9 904-939 93d 950 958-961
966-96f 971-980 985-98c 98f-990 993-9a8 9aa-9b0 9b2 9b6-9b9 9bd 9ce 9dc-9dd 9df-9e1 9e6-9f1 9f4-9f9 9fc a05-a0a a0f-a10 a13-a28
a2a-a30 a32-a33 a35-a36 a38-a39 a59-a5c a5e a66-a6f a72-a74 a85-a8d a8f-a91 a93-aa8 aaa-ab0 ab2-ab3 ab5-ab9 abd ad0 ae0-ae1
ae6-aef af9 b05-b0c b0f-b10 b13-b28 b2a-b30 b32-b33 b35-b39 b3d b5c-b5d b5f-b61 b66-b6f b71-b77 b83 b85-b8a b8e-b90 b92-b95
b99-b9a b9c b9e-b9f ba3-ba4 ba8-baa bae-bb9 bd0 be6-bf2 c05-c0c c0e-c10 c12-c28 c2a-c39 c3d c58-c5a c5d c60-c61 c66-c6f c78-c7e
c80 c85-c8c c8e-c90 c92-ca8 caa-cb3 cb5-cb9 cbd cdd-cde ce0-ce1 ce6-cef cf1-cf2 d04-d0c d0e-d10 d12-d3a d3d d4e d54-d56 d58-d61
d66-d78 d7a-d7f d85-d96 d9a-db1 db3-dbb dbd dc0-dc6 de6-def e01-e30 e32-e33 e40-e46 e50-e59 e81-e82 e84 e86-e8a e8c-ea3 ea5
ea7-eb0 eb2-eb3 ebd ec0-ec4 ec6 ed0-ed9 edc-edf f00 f20-f33 f40-f47 f49-f6c f88-f8c 1000-102a 103f-1049 1050-1055 105a-105d 1061
1065-1066 106e-1070 1075-1081 108e 1090-1099 10a0-10c5 10c7 10cd 10d0-10fa 10fc-1248 124a-124d 1250-1256 1258 125a-125d 1260-1288
128a-128d 1290-12b0 12b2-12b5 12b8-12be 12c0 12c2-12c5 12c8-12d6 12d8-1310 1312-1315 1318-135a 1369-137c 1380-138f 13a0-13f5
13f8-13fd 1401-166c 166f-167f 1681-169a 16a0-16ea 16ee-16f8 1700-1711 171f-1731 1740-1751 1760-176c 176e-1770 1780-17b3 17d7 17dc
17e0-17e9 17f0-17f9 1810-1819 1820-1878 1880-1884 1887-18a8 18aa 18b0-18f5 1900-191e 1946-196d 1970-1974 1980-19ab 19b0-19c9
19d0-19da 1a00-1a16 1a20-1a54 1a80-1a89 1a90-1a99 1aa7 1b05-1b33 1b45-1b4c 1b50-1b59 1b83-1ba0 1bae-1be5 1c00-1c23 1c40-1c49
1c4d-1c7d 1c80-1c88 1c90-1cba 1cbd-1cbf 1ce9-1cec 1cee-1cf3 1cf5-1cf6 1cfa 1d00-1dbf 1e00-1f15 1f18-1f1d 1f20-1f45 1f48-1f4d
1f50-1f57 1f59 1f5b 1f5d 1f5f-1f7d 1f80-1fb4 1fb6-1fbc 1fbe 1fc2-1fc4 1fc6-1fcc 1fd0-1fd3 1fd6-1fdb 1fe0-1fec 1ff2-1ff4 1ff6-1ffc
2070-2071 2074-2079 207f-2089 2090-209c 2102 2107 210a-2113 2115 2119-211d 2124 2126 2128 212a-212d 212f-2139 213c-213f 2145-2149
214e 2150-2189 2460-249b 24ea-24ff 2776-2793 2c00-2ce4 2ceb-2cee 2cf2-2cf3 2cfd 2d00-2d25 2d27 2d2d 2d30-2d67 2d6f 2d80-2d96
2da0-2da6 2da8-2dae 2db0-2db6 2db8-2dbe 2dc0-2dc6 2dc8-2dce 2dd0-2dd6 2dd8-2dde 2e2f 3005-3007 3021-3029 3031-3035 3038-303c
3041-3096 309d-309f 30a1-30fa 30fc-30ff 3105-312f 3131-318e 3192-3195 31a0-31bf 31f0-31ff 3220-3229 3248-324f 3251-325f 3280-3289
32b1-32bf 3400-4dbf 4e00-a48c a4d0-a4fd a500-a60c a610-a62b a640-a66e a67f-a69d a6a0-a6ef a717-a71f a722-a788 a78b-a7ca a7d0-a7d1
a7d3 a7d5-a7d9 a7f2-a801 a803-a805 a807-a80a a80c-a822 a830-a835 a840-a873 a882-a8b3 a8d0-a8d9 a8f2-a8f7 a8fb a8fd-a8fe a900-a925
a930-a946 a960-a97c a984-a9b2 a9cf-a9d9 a9e0-a9e4 a9e6-a9fe aa00-aa28 aa40-aa42 aa44-aa4b aa50-aa59 aa60-aa76 aa7a aa7e-aaaf aab1
aab5-aab6 aab9-aabd aac0 aac2 aadb-aadd aae0-aaea aaf2-aaf4 ab01-ab06 ab09-ab0e ab11-ab16 ab20-ab26 ab28-ab2e ab30-ab5a ab5c-ab69
ab70-abe2 abf0-abf9 ac00-d7a3 d7b0-d7c6 d7cb-d7fb f900-fa6d fa70-fad9 fb00-fb06 fb13-fb17 fb1d fb1f-fb28 fb2a-fb36 fb38-fb3c fb3e
fb40-fb41 fb43-fb44 fb46-fbb1 fbd3-fd3d fd50-fd8f fd92-fdc7 fdf0-fdfb fe70-fe74 fe76-fefc ff10-ff19 ff21-ff3a ff41-ff5a ff66-ffbe
ffc2-ffc7 ffca-ffcf ffd2-ffd7 ffda-ffdc 10000-1000b 1000d-10026 10028-1003a 1003c-1003d 1003f-1004d 10050-1005d 10080-100fa
10107-10133 10140-10178 1018a-1018b 10280-1029c 102a0-102d0 102e1-102fb 10300-10323 1032d-1034a 10350-10375 10380-1039d
103a0-103c3 103c8-103cf 103d1-103d5 10400-1049d 104a0-104a9 104b0-104d3 104d8-104fb 10500-10527 10530-10563 10570-1057a
1057c-1058a 1058c-10592 10594-10595 10597-105a1 105a3-105b1 105b3-105b9 105bb-105bc 10600-10736 10740-10755 10760-10767
10780-10785 10787-107b0 107b2-107ba 10800-10805 10808 1080a-10835 10837-10838 1083c 1083f-10855 10858-10876 10879-1089e
108a7-108af 108e0-108f2 108f4-108f5 108fb-1091b 10920-10939 10980-109b7 109bc-109cf 109d2-10a00 10a10-10a13 10a15-10a17
10a19-10a35 10a40-10a48 10a60-10a7e 10a80-10a9f 10ac0-10ac7 10ac9-10ae4 10aeb-10aef 10b00-10b35 10b40-10b55 10b58-10b72
10b78-10b91 10ba9-10baf 10c00-10c48 10c80-10cb2 10cc0-10cf2 10cfa-10d23 10d30-10d39 10e60-10e7e 10e80-10ea9 10eb0-10eb1
10f00-10f27 10f30-10f45 10f51-10f54 10f70-10f81 10fb0-10fcb 10fe0-10ff6 11003-11037 11052-1106f 11071-11072 11075 11083-110af
110d0-110e8 110f0-110f9 11103-11126 11136-1113f 11144 11147 11150-11172 11176 11183-111b2 111c1-111c4 111d0-111da 111dc
111e1-111f4 11200-11211 11213-1122b 11280-11286 11288 1128a-1128d 1128f-1129d 1129f-112a8 112b0-112de 112f0-112f9 11305-1130c
1130f-11310 11313-11328 1132a-11330 11332-11333 11335-11339 1133d 11350 1135d-11361 11400-11434 11447-1144a 11450-11459
1145f-11461 11480-114af 114c4-114c5 114c7 114d0-114d9 11580-115ae 115d8-115db 11600-1162f 11644 11650-11659 11680-116aa 116b8
116c0-116c9 11700-1171a 11730-1173b 11740-11746 11800-1182b 118a0-118f2 118ff-11906 11909 1190c-11913 11915-11916 11918-1192f
1193f 11941 11950-11959 119a0-119a7 119aa-119d0 119e1 119e3 11a00 11a0b-11a32 11a3a 11a50 11a5c-11a89 11a9d 11ab0-11af8
11c00-11c08 11c0a-11c2e 11c40 11c50-11c6c 11c72-11c8f 11d00-11d06 11d08-11d09 11d0b-11d30 11d46 11d50-11d59 11d60-11d65
11d67-11d68 11d6a-11d89 11d98 11da0-11da9 11ee0-11ef2 11fb0 11fc0-11fd4 12000-12399 12400-1246e 12480-12543 12f90-12ff0
13000-1342e 14400-14646 16800-16a38 16a40-16a5e 16a60-16a69 16a70-16abe 16ac0-16ac9 16ad0-16aed 16b00-16b2f 16b40-16b43
16b50-16b59 16b5b-16b61 16b63-16b77 16b7d-16b8f 16e40-16e96 16f00-16f4a 16f50 16f93-16f9f 16fe0-16fe1 16fe3 17000-187f7
18800-18cd5 18d00-18d08 1aff0-1aff3 1aff5-1affb 1affd-1affe 1b000-1b122 1b150-1b152 1b164-1b167 1b170-1b2fb 1bc00-1bc6a
1bc70-1bc7c 1bc80-1bc88 1bc90-1bc99 1d2e0-1d2f3 1d360-1d378 1d400-1d454 1d456-1d49c 1d49e-1d49f 1d4a2 1d4a5-1d4a6 1d4a9-1d4ac
1d4ae-1d4b9 1d4bb 1d4bd-1d4c3 1d4c5-1d505 1d507-1d50a 1d50d-1d514 1d516-1d51c 1d51e-1d539 1d53b-1d53e 1d540-1d544 1d546
1d54a-1d550 1d552-1d6a5 1d6a8-1d6c0 1d6c2-1d6da 1d6dc-1d6fa 1d6fc-1d714 1d716-1d734 1d736-1d74e 1d750-1d76e 1d770-1d788
1d78a-1d7a8 1d7aa-1d7c2 1d7c4-1d7cb 1d7ce-1d7ff 1df00-1df1e 1e100-1e12c 1e137-1e13d 1e140-1e149 1e14e 1e290-1e2ad 1e2c0-1e2eb
1e2f0-1e2f9 1e7e0-1e7e6 1e7e8-1e7eb 1e7ed-1e7ee 1e7f0-1e7fe 1e800-1e8c4 1e8c7-1e8cf 1e900-1e943 1e94b 1e950-1e959 1ec71-1ecab
1ecad-1ecaf 1ecb1-1ecb4 1ed01-1ed2d 1ed2f-1ed3d 1ee00-1ee03 1ee05-1ee1f 1ee21-1ee22 1ee24 1ee27 1ee29-1ee32 1ee34-1ee37 1ee39
1ee3b 1ee42 1ee47 1ee49 1ee4b 1ee4d-1ee4f 1ee51-1ee52 1ee54 1ee57 1ee59 1ee5b 1ee5d 1ee5f 1ee61-1ee62 1ee64 1ee67-1ee6a
1ee6c-1ee72 1ee74-1ee77 1ee79-1ee7c 1ee7e 1ee80-1ee89 1ee8b-1ee9b 1eea1-1eea3 1eea5-1eea9 1eeab-1eebb 1f100-1f10c 1fbf0-1fbf9
20000-2a6df 2a700-2b738 2b740-2b81d 2b820-2cea1 2ceb0-2ebe0 2f800-2fa1d 30000-3134a
""",
    "digit": """
30-39 660-669 6f0-6f9 7c0-7c9 966-96f 9e6-9ef a66-a6f ae6-aef b66-b6f be6-bef c66-c6f ce6-cef d66-d6f de6-def e50-e59 ed0-ed9
f20-f29 1040-1049 1090-1099 17e0-17e9 1810-1819 1946-194f 19d0-19d9 1a80-1a89 1a90-1a99 1b50-1b59 1bb0-1bb9 1c40-1c49 1c50-1c59
a620-a629 a8d0-a8d9 a900-a909 a9d0-a9d9 a9f0-a9f9 aa50-aa59 abf0-abf9 ff10-ff19 104a0-104a9 10d30-10d39 11066-1106f 110f0-110f9
11136-1113f 111d0-111d9 112f0-112f9 11450-11459 114d0-114d9 11650-11659 116c0-116c9 11730-11739 118e0-118e9 11950-11959
11c50-11c59 11d50-11d59 11da0-11da9 16a60-16a69 16ac0-16ac9 16b50-16b59 1d7ce-1d7ff 1e140-1e149 1e2f0-1e2f9 1e950-1e959
1fbf0-1fbf9
""",
    "space": """
9-d 1c-20 85 a0 1680 2000-200a 2028-2029 202f 205f 3000
""",
    "prefix": """
21-2a 2c 3a-3f 5b 5d 5f-60 7b 7d a1 a3 a5-a7 a9 ab ae b0 b4 b7 bb bf 482 58d-58e 60c 60e-60f 61b 61f 66a 6d4 6de 6e9 6fd-6fe 7f6
964 9fa b70 bf3-bf8 bfa c7f d4f d79 e3f f01-f03 f13 f15-f17 f1a-f1f f34 f36 f38 fbe-fc5 fc7-fcc fce-fcf fd5-fd8 109e-109f
1390-1399 1940 19de-19ff 1b61-1b6a 1b74-1b7c 2013-2014 2018-201a 201c-201e 2026 20a0-20bf 2100-2101 2103-2106 2108-2109 2114
2116-2117 211e-2123 2125 2127 2129 212e 213a-213b 214a 214c-214d 214f 218a-218b 2195-2199 219c-219f 21a1-21a2 21a4-21a5 21a7-21ad
21af-21cd 21d0-21d1 21d3 21d5-21f3 2300-2307 230c-231f 2322-237b 237d-239a 23b4-23db 23e2-2426 2440-244a 249c-24e9 2500-25b6
25b8-25c0 25c2-25f7 2600-266e 2670-2767 2794-27bf 27e6-27e7 2800-28ff 2b00-2b2f 2b45-2b46 2b4d-2b73 2b76-2b95 2b98-2bc8 2bca-2bfe
2ce5-2cea 2e80-2e99 2e9b-2ef3 2f00-2fd5 2ff0-2ffb 3001-3002 3004 3008-3015 3020 3036-3037 303e-303f 3190-3191 3196-319f 31c0-31e3
3200-321e 322a-3247 3250 3260-327f 328a-32b0 32c0-32fe 3300-33ff 4dc0-4dff a490-a4c6 a828-a82b a836-a837 a839 aa77-aa79 fdfc-fdfd
ff01 ff08-ff09 ff0c ff1a-ff1b ff1f ff5e ffe4 ffe8 ffed-ffee fffc-fffd 10137-1013f 10179-10189 1018c-1018e 10190-1019b 101a0
101d0-101fc 10877-10878 10ac8 1173f 16b3c-16b3f 16b45 1bc9c 1d000-1d0f5 1d100-1d126 1d129-1d164 1d16a-1d16c 1d183-1d184
1d18c-1d1a9 1d1ae-1d1e8 1d200-1d241 1d245 1d300-1d356 1d800-1d9ff 1da37-1da3a 1da6d-1da74 1da76-1da83 1da85-1da86 1ecac
1f000-1f02b 1f030-1f093 1f0a0-1f0ae 1f0b1-1f0bf 1f0c1-1f0cf 1f0d1-1f0f5 1f110-1f16b 1f170-1f1ac 1f1e6-1f202 1f210-1f23b
1f240-1f248 1f250-1f251 1f260-1f265 1f300-1f3fa 1f400-1f6d4 1f6e0-1f6ec 1f6f0-1f6f9 1f700-1f773 1f780-1f7d8 1f800-1f80b
1f810-1f847 1f850-1f859 1f860-1f887 1f890-1f8ad 1f900-1f90b 1f910-1f93e 1f940-1f970 1f973-1f976 1f97a 1f97c-1f9a2 1f9b0-1f9b9
1f9c0-1f9c2 1f9d0-1f9ff 1fa60-1fa6d
""",
    "suffix": """
21-23 26-2a 2c 3a-3c 3e-3f 5b 5d 5f-60 7b 7d a1 a6 a9 ab ae b0 b4 b7 bb bf 482 58d-58e 60c 60e-60f 61b 61f 66a 6d4 6de 6e9 6fd-6fe
7f6 964 9fa b70 bf3-bf8 bfa c7f d4f d79 f01-f03 f13 f15-f17 f1a-f1f f34 f36 f38 fbe-fc5 fc7-fcc fce-fcf fd5-fd8 109e-109f
1390-1399 1940 19de-19ff 1b61-1b6a 1b74-1b7c 2013-2014 2018-201a 201c-201e 2026 2100-2101 2103-2106 2108-2109 2114 2116-2117
211e-2123 2125 2127 2129 212e 213a-213b 214a 214c-214d 214f 218a-218b 2195-2199 219c-219f 21a1-21a2 21a4-21a5 21a7-21ad 21af-21cd
21d0-21d1 21d3 21d5-21f3 2300-2307 230c-231f 2322-237b 237d-239a 23b4-23db 23e2-2426 2440-244a 249c-24e9 2500-25b6 25b8-25c0
25c2-25f7 2600-266e 2670-2767 2794-27bf 27e6-27e7 2800-28ff 2b00-2b2f 2b45-2b46 2b4d-2b73 2b76-2b95 2b98-2bc8 2bca-2bfe 2ce5-2cea
2e80-2e99 2e9b-2ef3 2f00-2fd5 2ff0-2ffb 3001-3002 3004 3008-3015 3020 3036-3037 303e-303f 3190-3191 3196-319f 31c0-31e3 3200-321e
322a-3247 3250 3260-327f 328a-32b0 32c0-32fe 3300-33ff 4dc0-4dff a490-a4c6 a828-a82b a836-a837 a839 aa77-aa79 fdfd ff01 ff08-ff09
ff0c ff1a-ff1b ff1f ff5e ffe4 ffe8 ffed-ffee fffc-fffd 10137-1013f 10179-10189 1018c-1018e 10190-1019b 101a0 101d0-101fc
10877-10878 10ac8 1173f 16b3c-16b3f 16b45 1bc9c 1d000-1d0f5 1d100-1d126 1d129-1d164 1d16a-1d16c 1d183-1d184 1d18c-1d1a9
1d1ae-1d1e8 1d200-1d241 1d245 1d300-1d356 1d800-1d9ff 1da37-1da3a 1da6d-1da74 1da76-1da83 1da85-1da86 1ecac 1f000-1f02b
1f030-1f093 1f0a0-1f0ae 1f0b1-1f0bf 1f0c1-1f0cf 1f0d1-1f0f5 1f110-1f16b 1f170-1f1ac 1f1e6-1f202 1f210-1f23b 1f240-1f248
1f250-1f251 1f260-1f265 1f300-1f3fa 1f400-1f6d4 1f6e0-1f6ec 1f6f0-1f6f9 1f700-1f773 1f780-1f7d8 1f800-1f80b 1f810-1f847
1f850-1f859 1f860-1f887 1f890-1f8ad 1f900-1f90b 1f910-1f93e 1f940-1f970 1f973-1f976 1f97a 1f97c-1f9a2 1f9b0-1f9b9 1f9c0-1f9c2
1f9d0-1f9ff 1fa60-1fa6d
""",
    "punctuation": """
21-23 25-2a 2c-2f 3a-3b 3f-40 5b-5d 5f 7b 7d a1 a7 ab b6-b7 bb bf 37e 387 55a-55f 589-58a 5be 5c0 5c3 5c6 5f3-5f4 609-60a 60c-60d
61b 61d-61f 66a-66d 6d4 700-70d 7f7-7f9 830-83e 85e 964-965 970 9fd a76 af0 c77 c84 df4 e4f e5a-e5b f04-f12 f14 f3a-f3d f85
fd0-fd4 fd9-fda 104a-104f 10fb 1360-1368 1400 166e 169b-169c 16eb-16ed 1735-1736 17d4-17d6 17d8-17da 1800-180a 1944-1945 1a1e-1a1f
1aa0-1aa6 1aa8-1aad 1b5a-1b60 1b7d-1b7e 1bfc-1bff 1c3b-1c3f 1c7e-1c7f 1cc0-1cc7 1cd3 2010-2027 2030-2043 2045-2051 2053-205e
207d-207e 208d-208e 2308-230b 2329-232a 2768-2775 27c5-27c6 27e6-27ef 2983-2998 29d8-29db 29fc-29fd 2cf9-2cfc 2cfe-2cff 2d70
2e00-2e2e 2e30-2e4f 2e52-2e5d 3001-3003 3008-3011 3014-301f 3030 303d 30a0 30fb a4fe-a4ff a60d-a60f a673 a67e a6f2-a6f7 a874-a877
a8ce-a8cf a8f8-a8fa a8fc a92e-a92f a95f a9c1-a9cd a9de-a9df aa5c-aa5f aade-aadf aaf0-aaf1 abeb fd3e-fd3f fe10-fe19 fe30-fe52
fe54-fe61 fe63 fe68 fe6a-fe6b ff01-ff03 ff05-ff0a ff0c-ff0f ff1a-ff1b ff1f-ff20 ff3b-ff3d ff3f ff5b ff5d ff5f-ff65 10100-10102
1039f 103d0 1056f 10857 1091f 1093f 10a50-10a58 10a7f 10af0-10af6 10b39-10b3f 10b99-10b9c 10ead 10f55-10f59 10f86-10f89
11047-1104d 110bb-110bc 110be-110c1 11140-11143 11174-11175 111c5-111c8 111cd 111db 111dd-111df 11238-1123d 112a9 1144b-1144f
1145a-1145b 1145d 114c6 115c1-115d7 11641-11643 11660-1166c 116b9 1173c-1173e 1183b 11944-11946 119e2 11a3f-11a46 11a9a-11a9c
11a9e-11aa2 11c41-11c45 11c70-11c71 11ef7-11ef8 11fff 12470-12474 12ff1-12ff2 16a6e-16a6f 16af5 16b37-16b3b 16b44 16e97-16e9a
16fe2 1bc9f 1da87-1da8b 1e95e-1e95f
""",
    "sentence_end": """
21 2e 3f 589 61f 6d4 700-702 7f9 964-965 104a-104b 1362 1367-1368 166e 1735-1736 1803 1809 1944-1945 1aa8-1aab 1b5a-1b5b 1b5e-1b5f
1c3b-1c3c 1c7e-1c7f 203c-203d 2047-2049 2e2e 2e3c 3002 a4ff a60e-a60f a6f3 a6f7 a876-a877 a8ce-a8cf a92f a9c8-a9c9 aa5d-aa5f
aaf0-aaf1 abeb fe52 fe56-fe57 ff01 ff0e ff1f ff61 10a56-10a57 11047-11048 110be-110c1 11141-11143 111c5-111c6 111cd 111de-111df
11238-11239 1123b-1123c 112a9 1144b-1144c 115c2-115c3 115c9-115d7 11641-11642 1173c-1173e 11a42-11a43 11a9b-11a9c 11c41-11c42
16a6e-16a6f 16af5 16b37-16b38 16b44 1bc9f 1da88
""",
}
UNITS = """
$ % A$ C$ G GB K KB M MB Pa T TB US$ cm cm² cm³ dm dm² dm³ ft g gb hPa ha in kb kg km km/h kmh km² km³ lb m m/s mb mbar mg mm mm²
mm³ mph m² m³ nm oz t tb yd £ ¥ µg µm ГБ Гб КБ Кб МБ Мб Па ТБ Тб г гб дм дм² дм³ кПа кб кг км км/ч км² км³ м м/с м² м³ мб мбар мг
мм мм² мм³ нм см см² см³ тбكم اكواب جرام جم سم سم² سم³ غرام كغ كم كم² كم³ كوب م م² م³ ملغ مم مم² مم³ ฿ ₠ ₡ ₢ ₣ ₤ ₥ ₦ ₧ ₨ ₩ ₪ ₫ € ₭
₮ ₯ ₰ ₱ ₲ ₳ ₴ ₵ ₶ ₷ ₸ ₹ ₺ ₻ ₼ ₽ ₾ ₿ ﷼
"""
SPECIALS = r"""
' '' 'Cause 'Cos 'Coz 'Cuz 'S 'bout 'cause 'cos 'coz 'cuz 'd 'em 'll 'nuff 're 's (*_*) (-8 (-: (-; (-_-) (._.) (: (; (= (>_<)
(^_^) (o: (¬_¬) (ಠ_ಠ) (╯°□°）╯︵┻━┻ )-: ): -_- -__- ._. 0.0 0.o 0_0 0_o 10·a.m. 10·am 10·p.m. 10·pm 11·a.m. 11·am 11·p.m. 11·pm
12·a.m. 12·am 12·p.m. 12·pm 1·a.m. 1·am 1·p.m. 1·pm 2·a.m. 2·am 2·p.m. 2·pm 3·a.m. 3·am 3·p.m. 3·pm 4·a.m. 4·am 4·p.m. 4·pm 5·a.m.
5·am 5·p.m. 5·pm 6·a.m. 6·am 6·p.m. 6·pm 7·a.m. 7·am 7·p.m. 7·pm 8) 8-) 8-D 8D 8·a.m. 8·am 8·p.m. 8·pm 9·a.m. 9·am 9·p.m. 9·pm :'(
:') :'-( :'-) :( :(( :((( :() :) :)) :))) :* :-( :-(( :-((( :-) :-)) :-))) :-* :-/ :-0 :-3 :-> :-D :-O :-P :-X :-] :-o :-p :-x :-|
:-} :/ :0 :1 :3 :> :D :O :P :X :] :o :o) :p :x :| :} :’( :’) :’-( :’-) ;) ;-) ;-D ;D ;_; <.< </3 <3 <33 <333 <space> =( =) =/ =3
=D =[ =] =| >.< >.> >:( >:o ><(((*> @_@ Adm. Ai·n't Ai·nt Ai·n’t Ak. Ala. Apr. Are·n't Are·nt Are·n’t Ariz. Ark. Aug. Bros. C'm·on
C++ Calif. Ca·n't Ca·n't·'ve Can·not Ca·nt Ca·nt·ve Ca·n’t Ca·n’t·’ve Co. Colo. Conn. Corp. Could·'ve Could·n't Could·n't·'ve
Could·nt Could·nt·ve Could·n’t Could·n’t·’ve Could·ve Could·’ve C’m·on D.C. Dare·n't Dare·nt Dare·n’t Dec. Del. Did·n't
Did·n't·'ve Did·nt Did·nt·ve Did·n’t Did·n’t·’ve Does·n't Does·n't·'ve Does·nt Does·nt·ve Does·n’t Does·n’t·’ve Doin Doin' Doin’
Do·n't Do·n't·'ve Do·nt Do·nt·ve Do·n’t Do·n’t·’ve Dr. E.G. E.g. Feb. Fla. Ga. Gen. Goin Goin' Goin’ Gon·na Got·ta Gov. Had·n't
Had·n't·'ve Had·nt Had·nt·ve Had·n’t Had·n’t·’ve Has·n't Has·nt Has·n’t Have·n't Have·nt Have·n’t Havin Havin' Havin’ He·'d
He·'d·'ve He·'ll He·'ll·'ve He·'s He·d He·d·ve He·ll·ve He·s He·’d He·’d·’ve He·’ll He·’ll·’ve He·’s How·'d How·'d·'ve How·'d·'y
How·'ll How·'ll·'ve How·'re How·'s How·'ve How·d How·d·ve How·ll How·ll·ve How·re How·s How·ve How·’d How·’d·’ve How·’d·’y How·’ll
How·’ll·’ve How·’re How·’s How·’ve I·'d I·'d·'ve I·'ll I·'ll·'ve I·'m I·'m·a I·'ve I.E. I.e. Ia. I·d Id. I·d·ve Ill. I·ll·ve I·m
I·m·a Inc. Ind. Is·n't Is·nt Is·n’t It·'d It·'d·'ve It·'ll It·'ll·'ve It·'s It·d It·d·ve It·ll It·ll·ve It·’d It·’d·’ve It·’ll
It·’ll·’ve It·’s I·ve I·’d I·’d·’ve I·’ll I·’ll·’ve I·’m I·’m·a I·’ve Jan. Jr. Jul. Jun. Kan. Kans. Ky. La. Let·'s Let·’s Lovin
Lovin' Lovin’ Ltd. Ma'am Mar. Mass. May·n't May·n't·'ve May·nt May·nt·ve May·n’t May·n’t·’ve Ma’am Md. Messrs. Mich. Might·'ve
Might·n't Might·n't·'ve Might·nt Might·nt·ve Might·n’t Might·n’t·’ve Might·ve Might·’ve Minn. Miss. Mo. Mont. Mr. Mrs. Ms. Mt.
Must·'ve Must·n't Must·n't·'ve Must·nt Must·nt·ve Must·n’t Must·n’t·’ve Must·ve Must·’ve N.C. N.D. N.H. N.J. N.M. N.Y. Neb. Nebr.
Need·n't Need·n't·'ve Need·nt Need·nt·ve Need·n’t Need·n’t·’ve Nev. Not·'ve Nothin Nothin' Nothin’ Not·ve Not·’ve Nov. Nuthin
Nuthin' Nuthin’ O'clock O.O O.o O_O O_o Oct. Okla. Ol Ol' Ol’ Ore. Ought·n't Ought·n't·'ve Ought·nt Ought·nt·ve Ought·n’t
Ought·n’t·’ve O’clock Pa. Ph.D. Prof. Rep. Rev. S.C. Sen. Sep. Sept. Sha·n't Sha·n't·'ve Sha·nt Sha·nt·ve Sha·n’t Sha·n’t·’ve
She·'d She·'d·'ve She·'ll She·'ll·'ve She·'s She·d·ve She·ll·ve She·s She·’d She·’d·’ve She·’ll She·’ll·’ve She·’s Should·'ve
Should·n't Should·n't·'ve Should·nt Should·nt·ve Should·n’t Should·n’t·’ve Should·ve Should·’ve Somethin Somethin' Somethin’ St.
Tenn. That·'d That·'d·'ve That·'ll That·'ll·'ve That·'s That·d That·d·ve That·ll That·ll·ve That·s That·’d That·’d·’ve That·’ll
That·’ll·’ve That·’s There·'d There·'d·'ve There·'ll There·'ll·'ve There·'re There·'s There·'ve There·d There·d·ve There·ll
There·ll·ve There·re There·s There·ve There·’d There·’d·’ve There·’ll There·’ll·’ve There·’re There·’s There·’ve These·'d
These·'d·'ve These·'ll These·'ll·'ve These·'re These·'ve These·d These·d·ve These·ll These·ll·ve These·re These·ve These·’d
These·’d·’ve These·’ll These·’ll·’ve These·’re These·’ve They·'d They·'d·'ve They·'ll They·'ll·'ve They·'re They·'ve They·d
They·d·ve They·ll They·ll·ve They·re They·ve They·’d They·’d·’ve They·’ll They·’ll·’ve They·’re They·’ve This·'d This·'d·'ve
This·'ll This·'ll·'ve This·'s This·d This·d·ve This·ll This·ll·ve This·s This·’d This·’d·’ve This·’ll This·’ll·’ve This·’s
Those·'d Those·'d·'ve Those·'ll Those·'ll·'ve Those·'re Those·'ve Those·d Those·d·ve Those·ll Those·ll·ve Those·re Those·ve
Those·’d Those·’d·’ve Those·’ll Those·’ll·’ve Those·’re Those·’ve V.V V_V Va. Wash. Was·n't Was·nt Was·n’t We·'d We·'d·'ve We·'ll
We·'ll·'ve We·'re We·'ve We·d We·d·ve We·ll·ve Were·n't Were·nt Were·n’t We·ve We·’d We·’d·’ve We·’ll We·’ll·’ve We·’re We·’ve
What·'d What·'d·'ve What·'ll What·'ll·'ve What·'re What·'s What·'ve What·d What·d·ve What·ll What·ll·ve What·re What·s What·ve
What·’d What·’d·’ve What·’ll What·’ll·’ve What·’re What·’s What·’ve When·'d When·'d·'ve When·'ll When·'ll·'ve When·'re When·'s
When·'ve When·d When·d·ve When·ll When·ll·ve When·re When·s When·ve When·’d When·’d·’ve When·’ll When·’ll·’ve When·’re When·’s
When·’ve Where·'d Where·'d·'ve Where·'ll Where·'ll·'ve Where·'re Where·'s Where·'ve Where·d Where·d·ve Where·ll Where·ll·ve
Where·re Where·s Where·ve Where·’d Where·’d·’ve Where·’ll Where·’ll·’ve Where·’re Where·’s Where·’ve Who·'d Who·'d·'ve Who·'ll
Who·'ll·'ve Who·'re Who·'s Who·'ve Who·d Who·d·ve Who·ll Who·ll·ve Who·s Who·ve Who·’d Who·’d·’ve Who·’ll Who·’ll·’ve Who·’re
Who·’s Who·’ve Why·'d Why·'d·'ve Why·'ll Why·'ll·'ve Why·'re Why·'s Why·'ve Why·d Why·d·ve Why·ll Why·ll·ve Why·re Why·s Why·ve
Why·’d Why·’d·’ve Why·’ll Why·’ll·’ve Why·’re Why·’s Why·’ve Wis. Wo·n't Wo·n't·'ve Wo·nt Wo·nt·ve Wo·n’t Wo·n’t·’ve Would·'ve
Would·n't Would·n't·'ve Would·nt Would·nt·ve Would·n’t Would·n’t·’ve Would·ve Would·’ve XD XDD You·'d You·'d·'ve You·'ll
You·'ll·'ve You·'re You·'ve You·d You·d·ve You·ll You·ll·ve You·re You·ve You·’d You·’d·’ve You·’ll You·’ll·’ve You·’re You·’ve
[-: [: [= \") \n \t ]= ^_^ ^__^ ^___^ a. a.m. ai·n't ai·nt ai·n’t and/or are·n't are·nt are·n’t b. c'm·on c. ca·n't ca·n't·'ve
can·not ca·nt ca·nt·ve ca·n’t ca·n’t·’ve co. could·'ve could·n't could·n't·'ve could·nt could·nt·ve could·n’t could·n’t·’ve
could·ve could·’ve c’m·on d. dare·n't dare·nt dare·n’t did·n't did·n't·'ve did·nt did·nt·ve did·n’t did·n’t·’ve does·n't
does·n't·'ve does·nt does·nt·ve does·n’t does·n’t·’ve doin doin' doin’ do·n't do·n't·'ve do·nt do·nt·ve do·n’t do·n’t·’ve e. e.g.
em f. g. goin goin' goin’ gon·na got·ta h. had·n't had·n't·'ve had·nt had·nt·ve had·n’t had·n’t·’ve has·n't has·nt has·n’t
have·n't have·nt have·n’t havin havin' havin’ he·'d he·'d·'ve he·'ll he·'ll·'ve he·'s he·d he·d·ve he·ll·ve he·s he·’d he·’d·’ve
he·’ll he·’ll·’ve he·’s how·'d how·'d·'ve how·'d·'y how·'ll how·'ll·'ve how·'re how·'s how·'ve how·d how·d·ve how·ll how·ll·ve
how·re how·s how·ve how·’d how·’d·’ve how·’d·’y how·’ll how·’ll·’ve how·’re how·’s how·’ve i·'d i·'d·'ve i·'ll i·'ll·'ve i·'m
i·'m·a i·'ve i. i.e. i·d i·d·ve i·ll·ve i·m i·m·a is·n't is·nt is·n’t it·'d it·'d·'ve it·'ll it·'ll·'ve it·'s it·d it·d·ve it·ll
it·ll·ve it·’d it·’d·’ve it·’ll it·’ll·’ve it·’s i·ve i·’d i·’d·’ve i·’ll i·’ll·’ve i·’m i·’m·a i·’ve j. k. l. let·'s let·’s ll
lovin lovin' lovin’ m. ma'am may·n't may·n't·'ve may·nt may·nt·ve may·n’t may·n’t·’ve ma’am might·'ve might·n't might·n't·'ve
might·nt might·nt·ve might·n’t might·n’t·’ve might·ve might·’ve must·'ve must·n't must·n't·'ve must·nt must·nt·ve must·n’t
must·n’t·’ve must·ve must·’ve n. need·n't need·n't·'ve need·nt need·nt·ve need·n’t need·n’t·’ve not·'ve nothin nothin' nothin’
not·ve not·’ve nuff nuthin nuthin' nuthin’ o'clock o. o.0 o.O o.o o_0 o_O o_o ol ol' ol’ ought·n't ought·n't·'ve ought·nt
ought·nt·ve ought·n’t ought·n’t·’ve o’clock p. p.m. q. r. s. sha·n't sha·n't·'ve sha·nt sha·nt·ve sha·n’t sha·n’t·’ve she·'d
she·'d·'ve she·'ll she·'ll·'ve she·'s she·d·ve she·ll·ve she·s she·’d she·’d·’ve she·’ll she·’ll·’ve she·’s should·'ve should·n't
should·n't·'ve should·nt should·nt·ve should·n’t should·n’t·’ve should·ve should·’ve somethin somethin' somethin’ t. that·'d
that·'d·'ve that·'ll that·'ll·'ve that·'s that·d that·d·ve that·ll that·ll·ve that·s that·’d that·’d·’ve that·’ll that·’ll·’ve
that·’s there·'d there·'d·'ve there·'ll there·'ll·'ve there·'re there·'s there·'ve there·d there·d·ve there·ll there·ll·ve
there·re there·s there·ve there·’d there·’d·’ve there·’ll there·’ll·’ve there·’re there·’s there·’ve these·'d these·'d·'ve
these·'ll these·'ll·'ve these·'re these·'ve these·d these·d·ve these·ll these·ll·ve these·re these·ve these·’d these·’d·’ve
these·’ll these·’ll·’ve these·’re these·’ve they·'d they·'d·'ve they·'ll they·'ll·'ve they·'re they·'ve they·d they·d·ve they·ll
they·ll·ve they·re they·ve they·’d they·’d·’ve they·’ll they·’ll·’ve they·’re they·’ve this·'d this·'d·'ve this·'ll this·'ll·'ve
this·'s this·d this·d·ve this·ll this·ll·ve this·s this·’d this·’d·’ve this·’ll this·’ll·’ve this·’s those·'d those·'d·'ve
those·'ll those·'ll·'ve those·'re those·'ve those·d those·d·ve those·ll those·ll·ve those·re those·ve those·’d those·’d·’ve
those·’ll those·’ll·’ve those·’re those·’ve u. v. v.s. v.v v_v vs. w. w/o was·n't was·nt was·n’t we·'d we·'d·'ve we·'ll we·'ll·'ve
we·'re we·'ve we·d we·d·ve we·ll·ve were·n't were·nt were·n’t we·ve we·’d we·’d·’ve we·’ll we·’ll·’ve we·’re we·’ve what·'d
what·'d·'ve what·'ll what·'ll·'ve what·'re what·'s what·'ve what·d what·d·ve what·ll what·ll·ve what·re what·s what·ve what·’d
what·’d·’ve what·’ll what·’ll·’ve what·’re what·’s what·’ve when·'d when·'d·'ve when·'ll when·'ll·'ve when·'re when·'s when·'ve
when·d when·d·ve when·ll when·ll·ve when·re when·s when·ve when·’d when·’d·’ve when·’ll when·’ll·’ve when·’re when·’s when·’ve
where·'d where·'d·'ve where·'ll where·'ll·'ve where·'re where·'s where·'ve where·d where·d·ve where·ll where·ll·ve where·re
where·s where·ve where·’d where·’d·’ve where·’ll where·’ll·’ve where·’re where·’s where·’ve who·'d who·'d·'ve who·'ll who·'ll·'ve
who·'re who·'s who·'ve who·d who·d·ve who·ll who·ll·ve who·s who·ve who·’d who·’d·’ve who·’ll who·’ll·’ve who·’re who·’s who·’ve
why·'d why·'d·'ve why·'ll why·'ll·'ve why·'re why·'s why·'ve why·d why·d·ve why·ll why·ll·ve why·re why·s why·ve why·’d why·’d·’ve
why·’ll why·’ll·’ve why·’re why·’s why·’ve wo·n't wo·n't·'ve wo·nt wo·nt·ve wo·n’t wo·n’t·’ve would·'ve would·n't would·n't·'ve
would·nt would·nt·ve would·n’t would·n’t·’ve would·ve would·’ve x. xD xDD y'·all y. y·all you·'d you·'d·'ve you·'ll you·'ll·'ve
you·'re you·'ve you·d you·d·ve you·ll you·ll·ve you·re you·ve you·’d you·’d·’ve you·’ll you·’ll·’ve you·’re you·’ve y’·all z.
¯\(ツ)/¯ °·C·. °·F·. °·K·. °·c·. °·f·. °·k·. ä. ö. ü. ಠ_ಠ ಠ︵ಠ — ‘S ‘s ’ ’Cause ’Cos ’Coz ’Cuz ’S ’bout ’cause ’cos ’coz ’cuz ’d ’em
’ll ’nuff ’re ’s ’’
"""
