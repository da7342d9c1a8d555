/* Stands for GDK: the text programs of AceDB include it and use nothing of it. */
typedef union GdkEventAny GdkEventAny;
