/* Stands for GTK: the text programs of AceDB include it and use nothing of it. */
#include <glib.h>
typedef struct GtkWidget GtkWidget;
typedef struct GtkObject GtkObject;
typedef struct GtkTextBuffer GtkTextBuffer;
typedef void (*GtkSignalFunc)(void);
